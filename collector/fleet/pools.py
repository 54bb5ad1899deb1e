"""The latest readings over all hosts, the hottest first."""

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from collector.fleet.host import Host, PoolNow, Presence
from collector.fleet.skim import Bar, Sheet, Skim, skim
from collector.storage import hosts, hot
from collector.storage.database import Database
from collector.storage.hot import Logged
from shared.model import Kind, Pool

PAGE = 256
"""Hosts looked at a time: memory stays flat however large the fleet."""


Hotness = tuple[float, int, str, Pool]
"""What pools are sorted by, the hottest first: (-occupancy, headroom_min, host, pool)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pools are asked for; None does not narrow."""

    host: str | None = None
    role: str | None = None
    kind: Kind | None = None
    peer: bytes | None = None
    peer_port: int | None = None
    min_occupancy: float = 0.0
    limit: int = 100
    after: Hotness | None = None
    """Those that come after this one in the order asked for."""
    by_name: bool = False
    """By host and pool, whatever they hold: an order that stays while readings change."""

    def asks(self, host: Host) -> bool:
        """Whether this host's readings are asked for."""
        return self.host in {None, host.name} and self.role in {None, host.role}

    @property
    def names_pools(self) -> bool:
        """Whether which pool it is makes a difference."""
        return (self.kind, self.peer, self.peer_port) != (None, None, None)

    def accepts(self, pool: Pool) -> bool:
        """Whether this pool is asked for, however full it is."""
        return (
            self.kind in {None, pool.kind}
            and self.peer in {None, pool.peer}
            and self.peer_port in {None, pool.peer_port}
        )


async def hottest(db: Database, wanted: Wanted, now_ms: int, everyone: Sequence[Host] | None = None) -> list[PoolNow]:
    """The wanted pools with the highest occupancy, fewest ports left first among equals.

    `everyone`: all hosts, where somebody has just asked for them.
    """
    if everyone is None:
        async with db.reading() as connection:
            everyone = await hosts.all_hosts(connection)
    asked = in_order(host for host in everyone if wanted.asks(host))
    if wanted.by_name and wanted.after:
        asked = [host for host in asked if host.name >= wanted.after[2]]
    best: list[PoolNow] = []
    for start in range(0, len(asked), PAGE):
        if wanted.by_name and len(best) >= wanted.limit:
            break  # Hosts to come are after all that were found.
        page = asked[start : start + PAGE]
        best = await asyncio.to_thread(_merge, best, page, await bodies_of(db, page), wanted, now_ms)
    return best


async def bodies_of(db: Database, page: Sequence[Host]) -> dict[int, Logged]:
    """Of each of these hosts the newest snapshot that is not a failure, by host id."""
    async with db.reading() as connection:
        return await hot.last_good(connection, [host.id for host in page])


def _merge(
    best: Sequence[PoolNow], page: Sequence[Host], bodies: Mapping[int, Logged], wanted: Wanted, now_ms: int
) -> list[PoolNow]:
    skims = skims_of(page, bodies)
    key = _place if wanted.by_name else hotness
    found: Iterable[PoolNow] = _wanted(skims, _bar(best, wanted), wanted, now_ms)
    if wanted.after:
        after = wanted.after[2:] if wanted.by_name else wanted.after
        found = (item for item in found if key(item) > after)
    fresh = list(found)
    return heapq.nsmallest(wanted.limit, chain(best, fresh), key=key) if fresh else list(best)


def _bar(best: Sequence[PoolNow], wanted: Wanted) -> Bar:
    """What a pool must be above to be among the wanted ones, these being the best so far."""
    least = Bar(wanted.min_occupancy)
    if wanted.by_name or len(best) < wanted.limit:
        return least
    return max(least, bar_of(best[-1]), key=attrgetter("height"))


def _wanted(skims: Sequence[tuple[Host, Skim]], bar: Bar, wanted: Wanted, now_ms: int) -> Iterator[PoolNow]:
    sheet, most = Sheet([seen for _, seen in skims]), 1.0
    if wanted.after and not wanted.by_name:
        most = -wanted.after[0]
    elif not (wanted.by_name or wanted.names_pools):
        bar = max(bar, sheet.bar(wanted.limit), key=attrgetter("height"))
    for number, rows in sheet.above(bar, most):
        host, seen = skims[number]
        named = [row for row in rows if wanted.accepts(seen.listed[row])] if wanted.names_pools else rows
        yield from pools_now(host, seen, named, is_current=host.presence(now_ms) is Presence.REPORTING)


def skims_of(page: Sequence[Host], bodies: Mapping[int, Logged]) -> list[tuple[Host, Skim]]:
    """Of each of these hosts what it told last, where this version can read it."""
    return [(host, seen) for host in page if host.id in bodies and (seen := skim(bodies[host.id]))]


def pools_now(host: Host, seen: Skim, rows: Sequence[int], *, is_current: bool) -> Iterator[PoolNow]:
    """The pools of these rows of what a host told last."""
    if not rows:
        return
    part = seen.part(rows)
    for reading in part.readings:
        said = tuple(one for one in part.evidence if one.pool == reading.pool)
        yield PoolNow(host.name, host.role, reading, seen.logged.taken_ms, is_current, said)


def hotness(item: PoolNow) -> Hotness:
    """What it is sorted by."""
    return (-item.reading.occupancy, item.reading.headroom_min, item.host, item.reading.pool)


def bar_of(last: PoolNow) -> Bar:
    """What a pool must be above to come before this one. Among equals hosts that come first by name stay first."""
    return Bar(last.reading.occupancy, last.reading.headroom_min)


def _place(item: PoolNow) -> tuple[str, Pool]:
    return (item.host, item.reading.pool)


def in_order(everyone: Iterable[Host]) -> list[Host]:
    """By name as Python compares names: a database may have an order of its own."""
    return sorted(everyone, key=lambda host: host.name)
