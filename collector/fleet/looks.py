"""Looks at the whole fleet, shared by all who ask for the same: one that takes long is not taken anew for each."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from collector.fleet.census import Census, take_census
from collector.fleet.host import PoolNow
from collector.fleet.muster import Muster, muster
from collector.fleet.pools import Wanted, hottest
from collector.storage import hosts
from collector.storage.database import Database

SLOW_S = 0.25
"""A look that takes less is taken whenever anybody asks."""
SOONER = 10
"""How many times sooner a look at the hosts alone is slow: every view needs it, and all wait while it is taken."""
SHARE = 0.1
"""How much of the time a look may be under way while somebody keeps asking."""
MOST_KEPT = 16
LOOKING = "look at the fleet"
"""What such a task is called in a traceback."""
PATIENCE_S = 0.5
"""How long a viewer waits for a look before being told that it is under way."""
SCRAPE_PATIENCE_S = 5.0
"""How long a scrape waits: Prometheus gives up after ten seconds. A look that takes longer stands in for 150 s, so that
whoever asks every minute is not told each time that it is under way."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Look(Generic[Found]):
    """What was found of the pools, and when. `took_s`: how long that took; `is_done`: False while it is under way."""

    pools: Found
    at_ms: int
    took_s: float
    is_done: bool = True

    def is_fresh(self, now_ms: int, slow_s: float) -> bool:
        """Whether it need not be taken again yet."""
        return self.took_s >= slow_s and now_ms - self.at_ms < self.took_s * 1000 / SHARE

    def will_do(self, now_ms: int, slow_s: float) -> bool:
        """Whether it may be shown while the next is under way."""
        return self.took_s >= slow_s and now_ms - self.at_ms < 3 * self.took_s * 1000 / SHARE


class Looks:
    """The latest look for each thing wanted; those nobody asked for lately are forgotten."""

    def __init__(
        self, slow_s: float = SLOW_S, patience_s: float = PATIENCE_S, scrape_patience_s: float = SCRAPE_PATIENCE_S
    ) -> None:
        self._slow_s, self._patience_s, self._scrape_patience_s = slow_s, patience_s, scrape_patience_s
        self._kept: OrderedDict[Hashable, Look[Any]] = OrderedDict()
        self._under_way: dict[Hashable, asyncio.Task[Look[Any]]] = {}

    async def hottest(self, db: Database, wanted: Wanted, now_ms: int) -> Look[Sequence[PoolNow]]:
        """The wanted pools, the hottest first, as of a moment ago where to look takes long."""
        undone: Look[Sequence[PoolNow]] = Look((), now_ms, 0.0, is_done=False)
        return await self._shared(wanted, lambda: self._hottest(db, wanted, now_ms), undone, self._patience_s)

    async def _hottest(self, db: Database, wanted: Wanted, now_ms: int) -> list[PoolNow]:
        return await hottest(db, wanted, now_ms, (await self.muster(db, now_ms)).hosts)

    async def census(self, db: Database, most: int, now_ms: int) -> Look[Census]:
        """All pools, with so many of them one by one, as of a moment ago where that takes long."""
        undone = Look(Census(), now_ms, 0.0, is_done=False)
        return await self._shared(most, lambda: self._census(db, most, now_ms), undone, self._scrape_patience_s)

    async def _census(self, db: Database, most: int, now_ms: int) -> Census:
        return await take_census(db, most, now_ms, (await self.muster(db, now_ms)).hosts)

    async def muster(self, db: Database, now_ms: int) -> Muster:
        """Every host, as of a moment ago where there are many. It is always waited for."""
        look = await self._shared(Muster, lambda: _muster(db, now_ms), Look(muster((), now_ms), now_ms, 0.0), None)
        return look.pools

    async def other(
        self, wanted: Hashable, find: Callable[[], Awaitable[Found]], nothing: Found, now_ms: int
    ) -> Look[Found]:
        """What `find` finds of the fleet, as of a moment ago where that takes long; `nothing` while it is under way."""
        return await self._shared(wanted, find, Look(nothing, now_ms, 0.0, is_done=False), self._patience_s)

    async def close(self) -> None:
        """End what is under way: nobody is left to see it, and the database is about to be closed."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _shared(
        self, wanted: Hashable, find: Callable[[], Awaitable[Found]], undone: Look[Found], patience_s: float | None
    ) -> Look[Found]:
        """The look that is kept, if it will do, or another; `undone` where that takes longer than one would wait."""
        kept, now_ms = self._kept.get(wanted), undone.at_ms
        slow_s = self._slow_s / SOONER if wanted is Muster else self._slow_s
        if kept and kept.is_fresh(now_ms, slow_s):
            return kept
        task = self._under_way.get(wanted) or self._begin(wanted, find, now_ms)
        if kept and kept.will_do(now_ms, slow_s):
            return kept
        try:
            return await asyncio.wait_for(asyncio.shield(task), patience_s)
        except TimeoutError:
            return undone

    def _begin(self, wanted: Hashable, find: Callable[[], Awaitable[Found]], now_ms: int) -> asyncio.Task[Look[Found]]:
        task = asyncio.create_task(_look(find, now_ms), name=LOOKING)
        self._under_way[wanted] = task
        task.add_done_callback(lambda done: self._end(wanted, done))
        return task

    def _end(self, wanted: Hashable, done: asyncio.Task[Look[Any]]) -> None:
        self._under_way.pop(wanted, None)
        if done.cancelled() or done.exception():
            return  # Whoever waited for it is told.
        self._kept[wanted] = done.result()
        self._kept.move_to_end(wanted)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


async def _muster(db: Database, now_ms: int) -> Muster:
    async with db.reading() as connection:
        return muster(await hosts.all_hosts(connection), now_ms)


async def _look(find: Callable[[], Awaitable[Found]], now_ms: int) -> Look[Found]:
    began_s = time.monotonic()
    found = await find()
    return Look(found, now_ms, time.monotonic() - began_s)
