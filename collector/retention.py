"""Forgets what is older than the retention, in small transactions that let ingest through."""

from collections.abc import Callable

from collector.fleet.forgetting import forget
from collector.history.tiers import ABOVE, DAY_MS, HOUR_MS, MINUTE, RAW, TIERS, Keep, Tier
from collector.storage import alerts, audit, chunks, fleet_history, hosts, hot, incidents, outbox, pools, silences
from collector.storage.database import AsyncConnection, Database

BATCH = 500
NAMES = 2_000
CHUNKS = 200
REST_S = 60.0
ASIDE_MS = 30 * DAY_MS
"""How long the bytes of a chunk that cannot be read are kept for whoever repairs it."""
ASIDE_BYTES = 256 * 2**20
"""How many of them at most: a disk that breaks damages many."""
SLACK_MS = MINUTE.span_ms + HOUR_MS
"""Raw chunks stay this much longer: minutes are made from all of their six hours, also for the latest backlog."""


class Retention:
    """Keeps each tier for its time, transitions and notices like raw ones; of each host always the newest snapshot."""

    def __init__(self, db: Database, keep: Keep, *, clock: Callable[[], int]) -> None:
        self._db, self._keep, self._clock = db, keep, clock

    async def prune(self) -> bool:
        """Delete one batch. True where more is waiting."""
        now_ms = self._clock()
        before_ms = now_ms - self._keep.raw_ms
        async with self._db.writing() as connection:
            if await hot.prune(connection, before_ms, BATCH) == BATCH:
                return True
            await outbox.prune(connection, before_ms)
            await alerts.prune(connection, before_ms)
            await incidents.prune(connection, before_ms)
            await silences.prune(connection, before_ms)
            await hosts.prune_boots(connection, before_ms)
            await audit.prune(connection, now_ms - self._keep.hour_ms)
            await fleet_history.drop(connection, now_ms - self._keep.minute_ms)
            # That a chunk is missing is told for as long as there is any history of its time.
            await chunks.prune_aside(connection, now_ms - self._keep.longest_ms, now_ms - ASIDE_MS, ASIDE_BYTES)
        is_more = any([await self._drop(tier, now_ms) for tier in TIERS])
        return await self._forget_names(now_ms) or is_more

    async def _forget_names(self, now_ms: int) -> bool:
        """Forget pools that no chunk of any tier names any more."""
        async with self._db.writing() as connection:
            is_more = await pools.adopt(connection, now_ms, NAMES) == NAMES
            kept = [(await chunks.extent(connection, tier)).oldest_ms for tier in TIERS]
            before_ms = min([now_ms - self._keep.longest_ms, *(oldest for oldest in kept if oldest is not None)])
            is_more |= await pools.prune(connection, before_ms, NAMES) == NAMES
        await self._forget_hosts(now_ms, before_ms)
        return is_more

    async def _forget_hosts(self, now_ms: int, before_ms: int) -> None:
        """Forget hosts of which nothing is left but their last word, and take out those forgotten long ago."""
        async with self._db.reading() as connection:
            lapsed = await hosts.lapsed(connection, before_ms, BATCH)
            gone = await hosts.prunable(connection, before_ms, now_ms - DAY_MS, BATCH)
        for name in lapsed:
            await forget(self._db, name, "retention", now_ms)
        if gone:
            async with self._db.writing() as connection:
                await hot.claim(connection, 1)  # One that comes back at this very moment is told apart below.
                await hosts.remove(connection, await hosts.prunable(connection, before_ms, now_ms - DAY_MS, BATCH))

    async def _drop(self, tier: Tier, now_ms: int) -> bool:
        async with self._db.writing() as connection:
            before_ms = await self._before(connection, tier, now_ms)
            return await chunks.drop(connection, tier, before_ms, CHUNKS)

    async def _before(self, db: AsyncConnection, tier: Tier, now_ms: int) -> int:
        """What the coarser tier is still to be made from stays."""
        before_ms = now_ms - self._keep.of(tier) - (SLACK_MS if tier is RAW else 0)
        above = ABOVE.get(tier)
        owed_ms = await chunks.oldest_due_ms(db, above) if above else None
        return before_ms if owed_ms is None else min(before_ms, owed_ms)
