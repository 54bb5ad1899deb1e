"""Looks at the whole fleet, shared by all who ask for the same: one that takes long is not taken anew for each."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from collector.fleet.pools import PoolNow, Wanted, hottest
from collector.storage.database import Database

SLOW_S = 0.25
"""A look that takes less is taken whenever anybody asks."""
SHARE = 0.1
"""How much of the time a look may be under way while somebody keeps asking."""
MOST_KEPT = 16
LOOKING = "look at the fleet"
"""What such a task is called in a traceback."""
PATIENCE_S = 0.5
"""How long a viewer waits for a look before being told that it is under way."""


@dataclass(frozen=True, slots=True)
class Look:
    """The pools that were found, and when. `took_s`: how long it took; `is_done`: False where it is still under way."""

    pools: Sequence[PoolNow]
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

    def __init__(self, slow_s: float = SLOW_S, patience_s: float = PATIENCE_S) -> None:
        self._slow_s, self._patience_s = slow_s, patience_s
        self._kept: OrderedDict[Wanted, Look] = OrderedDict()
        self._under_way: dict[Wanted, asyncio.Task[Look]] = {}

    async def hottest(self, db: Database, wanted: Wanted, now_ms: int) -> Look:
        """The wanted pools, the hottest first, as of a moment ago where to look takes long."""
        kept = self._kept.get(wanted)
        if kept and kept.is_fresh(now_ms, self._slow_s):
            return kept
        task = self._under_way.get(wanted) or self._begin(db, wanted, now_ms)
        if kept and kept.will_do(now_ms, self._slow_s):
            return kept
        try:
            return await asyncio.wait_for(asyncio.shield(task), self._patience_s)
        except TimeoutError:
            return Look((), now_ms, 0.0, is_done=False)

    async def close(self) -> None:
        """End what is under way: nobody is left to see it, and the database is about to be closed."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, db: Database, wanted: Wanted, now_ms: int) -> asyncio.Task[Look]:
        task = asyncio.create_task(self._look(db, wanted, now_ms), name=LOOKING)
        self._under_way[wanted] = task
        task.add_done_callback(lambda done: self._end(wanted, done))
        return task

    def _end(self, wanted: Wanted, done: asyncio.Task[Look]) -> None:
        self._under_way.pop(wanted, None)
        if done.cancelled() or done.exception():
            return  # Whoever waited for it is told.
        self._kept[wanted] = done.result()
        self._kept.move_to_end(wanted)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    async def _look(self, db: Database, wanted: Wanted, now_ms: int) -> Look:
        began_s = time.monotonic()
        found = await hottest(db, wanted, now_ms)
        return Look(found, now_ms, time.monotonic() - began_s)
