"""Forgets what is older than the retention, in small transactions that let ingest through."""

from collections.abc import Callable

from collector.storage import alerts, hosts, hot, incidents, outbox, silences
from collector.storage.database import Database

BATCH = 500
REST_S = 60.0
HOUR_MS = 3_600_000


class Retention:
    """Keeps snapshots, transitions and delivered notices for `hours`; of each host always the newest snapshot."""

    def __init__(self, db: Database, hours: float, *, clock: Callable[[], int]) -> None:
        self._db, self._keep_ms, self._clock = db, round(hours * HOUR_MS), clock

    async def prune(self) -> bool:
        """Delete one batch. True where more is waiting."""
        before_ms = self._clock() - self._keep_ms
        async with self._db.writing() as connection:
            if await hot.prune(connection, before_ms, BATCH) == BATCH:
                return True
            await outbox.prune(connection, before_ms)
            await alerts.prune(connection, before_ms)
            await incidents.prune(connection, before_ms)
            await silences.prune(connection, before_ms)
            await hosts.prune_boots(connection, before_ms)
        return False
