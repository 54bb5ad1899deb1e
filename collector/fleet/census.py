"""All pools of the fleet taken stock of: the fullest one by one, the rest as sums, so that totals always add up."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

from collector.fleet.host import Host, PoolNow, Presence
from collector.fleet.pools import PAGE, bar_of, bodies_of, hotness, in_order, pools_now
from collector.fleet.skim import Bar, Sheet, Skim, skim
from collector.storage import hosts
from collector.storage.database import Database
from collector.storage.hot import Logged
from shared.model import Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """`fullest` and `other_…` are of hosts that report; what silent and blind ones told last is counted apart.

    The others are all that has no place among the fullest: readings, and what hosts do not list one by one.
    """

    fullest: Sequence[PoolNow] = ()
    other_pools: int = 0
    other_held: int = 0
    other_occupancy: float = 0.0
    """None of the others is fuller, 0.0 to 1.0."""
    doubtful: Mapping[Presence, int] = field(default_factory=dict)
    """Pools that hosts told of before they fell silent or went blind."""
    unreadable_hosts: int = 0
    """Hosts that report, and whose last good snapshot cannot be read here."""
    unreadable_namespaces: int = 0
    """Network namespaces with sockets that agents could not read."""


async def take_census(db: Database, most: int, now_ms: int, everyone: Sequence[Host] | None = None) -> Census:
    """Of all hosts, with at most `most` pools one by one. `everyone`: all hosts, where somebody has just asked."""
    if everyone is None:
        async with db.reading() as connection:
            everyone = await hosts.all_hosts(connection)
    everyone, count = in_order(everyone), Count(most, now_ms)
    for start in range(0, len(everyone), PAGE):
        page = everyone[start : start + PAGE]
        await asyncio.to_thread(count.add, page, await bodies_of(db, page))
    return count.census()


class Count:
    """A census being taken, some hosts at a time. One more pool is kept than is told: the fullest of the others."""

    def __init__(self, most: int, now_ms: int) -> None:
        self._most, self._now_ms = most, now_ms
        self._fullest: list[PoolNow] = []
        self._pools = self._held = self._unreadable_hosts = self._unreadable_namespaces = 0
        self._unlisted = 0.0
        self._bar = Bar()
        self._doubtful = Counter({Presence.SILENT: 0, Presence.BLIND: 0})

    def add(self, page: Sequence[Host], bodies: Mapping[int, Logged]) -> None:
        """These hosts, with what each of them told last (by host id)."""
        told = list(self._reporting(page, bodies))
        sheet = Sheet([seen for _, seen in told])
        self._held += sheet.held
        bar = max(self._bar, sheet.bar(self._most + 1), key=attrgetter("height"))
        found = (pools_now(*told[number], rows, is_current=True) for number, rows in sheet.above(bar))
        self._fullest = heapq.nsmallest(self._most + 1, chain(self._fullest, chain.from_iterable(found)), key=hotness)
        if len(self._fullest) > self._most:
            self._bar = bar_of(self._fullest[-1])

    def census(self) -> Census:
        """What it came to."""
        told = self._fullest[: self._most]
        return Census(
            fullest=told,
            other_pools=self._pools - len(told),
            other_held=self._held - sum(item.reading.held for item in told),
            other_occupancy=max([self._unlisted, *(item.reading.occupancy for item in self._fullest[self._most :])]),
            doubtful=self._doubtful,
            unreadable_hosts=self._unreadable_hosts,
            unreadable_namespaces=self._unreadable_namespaces,
        )

    def _reporting(self, page: Sequence[Host], bodies: Mapping[int, Logged]) -> Iterator[tuple[Host, Skim]]:
        """Those whose pools count; of the others it is told how many they are."""
        for host in page:
            presence, seen = host.presence(self._now_ms), skim(bodies[host.id]) if host.id in bodies else None
            if seen is None:
                self._unreadable_hosts += host.id in bodies and presence is Presence.REPORTING
            elif presence is not Presence.REPORTING:
                self._doubtful[presence] += seen.pools
            else:
                self._sum_up(seen)
                yield host, seen

    def _sum_up(self, seen: Skim) -> None:
        self._pools += seen.pools
        self._held += sum(space.remainder.held for space in seen.unlisted)
        self._unlisted = max([self._unlisted, *map(_fullest_unlisted, seen.unlisted)])
        self._unreadable_namespaces += seen.unreadable


def _fullest_unlisted(space: Namespace) -> float:
    """What no pool that this namespace does not list is above."""
    if not space.remainder.pools:
        return 0.0
    return min(1.0, space.remainder.max_held / space.capacity) if space.capacity else 1.0
