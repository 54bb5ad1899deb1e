"""Between rounds of the evaluation: gives the forecast the last week of pools it has no memory of, from history."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from collector.forecast.early import Key
from collector.forecast.foresight import Foresight
from collector.history.tiers import Keep, Reach
from collector.storage import hosts
from collector.storage.database import Database
from collector.storage.errors import DatabaseUnusable
from collector.trends.query import week_before
from shared.errors import PortgaugeError
from shared.logs import fields

BUDGET_S: Final = 0.25
"""How long one round may be at it, the pool it is at excepted: the next report waits meanwhile."""
A_ROUND: Final = 64
log = logging.getLogger(__name__)


class Recollection:
    """Reads what was asked for, a few pools at a time. A pool that cannot be read stays unknown and is tried again."""

    def __init__(self, db: Database, foresight: Foresight, keep: Keep, *, clock: Callable[[], int]) -> None:
        self._db, self._foresight, self._keep, self._clock = db, foresight, keep, clock
        self._failed: set[Key] = set()

    def after(self, evaluate: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        """The same round, and once it has caught up with the log, a look into history."""

        async def both() -> bool:
            is_more = await evaluate()
            if not is_more:
                await self.recollect()
            return is_more

        return both

    async def recollect(self) -> None:
        """Work on what is wanted until the time of this round is up. Raises DatabaseUnusable."""
        until_s = monotonic() + BUDGET_S
        for key in self._foresight.wanted(A_ROUND):
            try:
                self._foresight.learn(key, await self._last_week(key))
                self._failed.discard(key)
            except DatabaseUnusable:
                raise
            except PortgaugeError as error:
                self._put_off(key, error)
            if monotonic() >= until_s:
                return

    async def _last_week(self, key: Key) -> list[tuple[float, int]]:
        name, pool = key
        async with self._db.reading() as connection:
            host = await hosts.by_name(connection, name)
        if host is None:
            return []
        reach = Reach(self._clock(), self._keep)
        return await week_before(self._db, host, pool, reach.now_ms, reach)

    def _put_off(self, key: Key, error: PortgaugeError) -> None:
        if key not in self._failed:
            host, pool = key
            told = fields(host=host, pool=str(pool), why=error)
            log.error("the last week of a pool cannot be read; no forecast until it can", extra=told)
        self._failed.add(key)
        self._foresight.defer(key)
