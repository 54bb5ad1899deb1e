"""Group commit: whoever waits while one transaction is being synced shares the next one.

No timer: a lone snapshot is committed at once, and under load a batch is whatever came during the last sync, so nobody
waits for more than two of them.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from collector.fleet.host import Arrival
from collector.ingest.record import record
from collector.metrics import Metrics
from collector.storage.database import Database
from collector.storage.errors import DatabaseUnusable
from shared.clock import monotonic_s
from shared.logs import fields

MAX_BATCH = 512
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    arrival: Arrival
    is_duplicate: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Intake:
    """Where arrivals wait to be written. Bounded by ingest.admission, through which every one of them came."""

    def __init__(self, db: Database, metrics: Metrics, *, on_commit: Callable[[], None]) -> None:
        self._db, self._metrics, self._on_commit = db, metrics, on_commit
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def take(self, arrival: Arrival) -> bool:
        """Answer once it is durable: whether it is a duplicate. Raises DatabaseUnusable where it cannot be kept."""
        waiting = _Waiting(arrival)
        self._queue.put_nowait(waiting)
        return await waiting.is_duplicate

    async def commit_forever(self) -> None:
        """Write down what waits, batch after batch."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: list[_Waiting]) -> None:
        try:
            duplicates = await self._commit([waiting.arrival for waiting in batch])
        except DatabaseUnusable as error:
            log.error("snapshots refused", extra=fields(count=len(batch), why=error))  # noqa: TRY400 - foreseen
            _fail(batch, error)
        except Exception as error:
            _fail(batch, error)
            raise
        else:
            for waiting, is_duplicate in zip(batch, duplicates, strict=True):
                if not waiting.is_duplicate.done():
                    waiting.is_duplicate.set_result(is_duplicate)
            self._on_commit()

    async def _commit(self, arrivals: list[Arrival]) -> list[bool]:
        began_s = monotonic_s()
        async with self._db.writing() as connection:
            duplicates = await record(connection, arrivals)
        self._metrics.commit_seconds.observe(monotonic_s() - began_s)
        self._metrics.commit_snapshots.observe(len(arrivals))
        return duplicates


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.is_duplicate.done():
            waiting.is_duplicate.set_exception(error)
