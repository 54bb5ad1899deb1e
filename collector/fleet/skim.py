"""What hosts told last, skimmed: how full each pool is, and readings of those that somebody asks for.

A fleet's last reports are some hundred thousand pools, of which a table shows fifty: the columns of many hosts at once
tell which, and the others are never made.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import numpy as np

from collector.packed import Packed, namespace_of, opened, part_of
from collector.storage.hot import Logged
from shared import wire
from shared.logs import fields
from shared.model import Namespace, Pool, Snapshot

COLUMNS = ("held", "capacity", "headroom_min")
_TYPE = np.dtype("<u2")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Skim:
    """What one host told last."""

    logged: Logged
    listed: Sequence[Pool]
    """Its pools, row by row."""
    columns: Sequence[bytes]
    """COLUMNS of them, as they were sent."""
    unlisted: Sequence[Namespace]
    """The namespaces with pools that are not listed one by one."""
    unreadable: int
    """Network namespaces with sockets that its agent could not read."""
    part: Callable[[Sequence[int]], Snapshot]
    """The snapshot with the readings of these rows, and what applications logged."""

    @property
    def pools(self) -> int:
        """How many there are, listed or not."""
        return len(self.listed) + sum(space.remainder.pools for space in self.unlisted)


class Bar(NamedTuple):
    """What a pool must be above: fuller, or as full with fewer ports left."""

    occupancy: float = 0.0
    headroom: float = math.inf

    @property
    def height(self) -> tuple[float, float]:
        """The higher, the fewer are above it."""
        return (self.occupancy, -self.headroom)


class Sheet:
    """The columns of many hosts, one below the other."""

    def __init__(self, skims: Sequence[Skim]) -> None:
        self._begins = [0, *accumulate(len(one.listed) for one in skims)]
        held, capacity, self._headroom = (_column(b"".join(column)) for column in zip(*_columns(skims), strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.minimum(1.0, np.true_divide(held, capacity, dtype=np.float64))
        # A pool without any port to lend is full.
        self._occupancy = np.where(capacity == 0, 1.0, shares)
        self.held = int(held.sum(dtype=np.int64))
        """Ports held in all of them."""

    def bar(self, most: int) -> Bar:
        """What so many of these pools are above, or at: none below it is among the `most` fullest."""
        place = self._occupancy.size - most
        return Bar(float(np.partition(self._occupancy, place)[place])) if most and place > 0 else Bar()

    def above(self, bar: Bar, most: float = 1.0) -> Iterator[tuple[int, Sequence[int]]]:
        """(which host, its rows) of the pools above the bar, none of them fuller than `most`."""
        wanted = (self._occupancy == bar.occupancy) & (self._headroom < bar.headroom)
        wanted |= self._occupancy > bar.occupancy
        wanted &= self._occupancy <= most
        places = np.flatnonzero(wanted)
        hosts = np.searchsorted(self._begins, places, side="right") - 1
        found = zip(hosts.tolist(), places.tolist(), strict=True)
        for host, some in groupby(found, key=lambda pair: pair[0]):
            yield host, [place - self._begins[host] for _, place in some]


def skim(logged: Logged) -> Skim | None:
    """What it tells; None where this version cannot read it."""
    found = opened(logged.body)
    listed = found.listed if found else None
    if found and listed is not None:
        return _packed(logged, found, listed)
    try:
        return _full(logged, wire.decode(logged.body))
    except wire.WireError as error:
        # Accepted once, so a newer version wrote it; the evaluation logs it too.
        log.warning("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))
        return None


def _packed(logged: Logged, found: Packed, listed: Sequence[Pool]) -> Skim:
    def part(rows: Sequence[int]) -> Snapshot:
        picked = None if bytes(found.evidence) else part_of(found, rows)
        return picked or wire.decode(logged.body, rows=rows)

    return Skim(
        logged,
        listed,
        [found.columns[name] for name in COLUMNS],
        [namespace_of(one) for one in found.namespaces if one.remainder[0]],
        sum(namespaces for namespaces, _why in found.unreadable),
        part,
    )


def _full(logged: Logged, snapshot: Snapshot) -> Skim:
    """The first with its list of pools since this process began; or written otherwise than today."""
    readings = snapshot.readings
    return Skim(
        logged,
        [reading.pool for reading in readings],
        [np.array([getattr(one, name) for one in readings], dtype=_TYPE).tobytes() for name in COLUMNS],
        [space for space in snapshot.namespaces if space.remainder.pools],
        sum(one.namespaces for one in snapshot.unreadable),
        lambda rows: replace(snapshot, readings=tuple(readings[row] for row in rows)),
    )


def _columns(skims: Sequence[Skim]) -> Sequence[Sequence[bytes]]:
    return [one.columns for one in skims] or [[b""] * len(COLUMNS)]


def _column(packed: bytes) -> "np.ndarray[tuple[int], np.dtype[Any]]":
    return np.frombuffer(packed, dtype=_TYPE)
