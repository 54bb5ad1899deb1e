"""A pool that fills for weeks, in a collector's history."""

from collector.history.tiers import DAY_MS
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting

DAYS = 35


async def grow(collector: Collecting) -> None:
    """A pool of 300 ports whose daily peak grows from 100 by three a day, until yesterday."""
    for day in range(DAYS):
        at_ms = collector.clock.now_ms = NOON_MS + day * DAY_MS
        await collector.push(a_snapshot(a_reading(100 + 3 * day), seq=day, taken_at_ms=at_ms))
    collector.clock.turn(DAY_MS / 1000)
    collector.compaction.keep_raw_ms = DAYS * DAY_MS  # So that one round does for all days.
    await collector.compact()
