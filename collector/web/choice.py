"""What a viewer asked a table for: filters, order and page. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from collector.api.params import Params
from collector.fleet.host import Host, PoolNow, Presence
from collector.fleet.muster import Muster
from collector.fleet.pools import Wanted
from shared.model import Kind

Row = TypeVar("Row")
LOOKED_AT = 1_000
"""Of the pools that match, so many of the fullest can be leafed through."""
ROWS = 50
MOST_PAGES = 10_000

_POOL_ORDERS: dict[str, Callable[[PoolNow], Any]] = {
    "occupancy": lambda item: -item.reading.occupancy,
    "left": lambda item: item.reading.headroom_min,
    "held": lambda item: -item.reading.held,
    "failed": lambda item: -item.reading.failures,
    "host": lambda item: item.host,
    "pool": lambda item: item.reading.pool,
}
POOL_KEYS = ("host", "role", "peer", "kind", "sort", "page")
HOST_KEYS = ("role", "state", "page")


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Row]):
    """One page of rows; pages count from 1."""

    rows: Sequence[Row]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class PoolChoice:
    """Which pools, in which order, and which page of them."""

    wanted: Wanted
    sort: str
    page: int
    query: dict[str, str]

    def leaf(self, found: Sequence[PoolNow]) -> Leaf[PoolNow]:
        """The asked page of what was found."""
        return leaf(sorted(found, key=_POOL_ORDERS[self.sort]), self.page)


def pool_choice(params: Params) -> PoolChoice:
    """What the query asks for; empty fields of a form narrow nothing. Raises InvalidParameter."""
    peer, port = params.endpoint("peer") or (None, None)
    kind = params.choice("kind", tuple(Kind))
    wanted = Wanted(
        host=params.text("host"),
        role=params.text("role"),
        kind=Kind(kind) if kind else None,
        peer=peer,
        peer_port=port,
        limit=LOOKED_AT,
    )
    query = {name: text for name in POOL_KEYS if (text := params.text(name))}
    return PoolChoice(wanted, params.choice("sort", tuple(_POOL_ORDERS)) or "occupancy", page_of(params), query)


def page_of(params: Params, name: str = "page") -> int:
    """Which page is asked for."""
    return params.integer(name, default=1, low=1, high=MOST_PAGES)


def leaf(rows: Sequence[Row], number: int, size: int = ROWS) -> Leaf[Row]:
    """The page of that number, or the last one where there are fewer."""
    pages = max(1, -(-len(rows) // size))
    number = min(number, pages)
    return Leaf(rows[(number - 1) * size : number * size], number, pages, len(rows))


def hosts_like(everyone: Muster, role: str | None, state: str | None) -> list[Host]:
    """Those of the role and in the state, whoever does not report first."""
    states = [everyone.doubts.get(host.name, Presence.REPORTING.value) for host in everyone.hosts]
    found = [
        (one, host)
        for one, host in zip(states, everyone.hosts, strict=True)
        if role in {None, host.role} and state in {None, one}
    ]
    return [host for _, host in sorted(found, key=lambda pair: (pair[1].name not in everyone.doubts, pair[1].name))]
