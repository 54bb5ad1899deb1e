"""Feeds one channel from the outbox. One loop a channel: a dead one holds up nobody else."""

import logging
import random
from collections.abc import Callable

from collector.metrics import Metrics
from collector.notify.backoff import retry_at_ms
from collector.notify.channel import Channel, DeliveryFailed
from collector.storage import outbox
from collector.storage.database import Database
from collector.storage.outbox import Owed
from shared.logs import fields

BATCH = 20
LEASE_MORE_MS = 10_000
"""A notice that was claimed and not closed is tried again this long after its time to send is over."""
log = logging.getLogger(__name__)


class Delivery:
    """Sends what a channel is owed, and writes down how it went."""

    def __init__(self, db: Database, channel: Channel, metrics: Metrics, *, clock: Callable[[], int]) -> None:
        self._db, self._channel, self._metrics, self._clock = db, channel, metrics, clock

    async def deliver(self) -> bool:
        """Try what is due. True where more may be: what was sent may have held back later notices of its alert."""
        async with self._db.reading() as connection:
            due = await outbox.due(connection, self._channel.name, self._clock(), BATCH)
        for owed in due:
            await self._try(owed)
        return bool(due)

    async def _try(self, owed: Owed) -> None:
        now_ms = self._clock()
        lease_ms = now_ms + round(self._channel.timeout_s * 1000) + LEASE_MORE_MS
        async with self._db.writing() as connection:
            if not await outbox.claim(connection, owed, lease_ms):
                return  # Somebody else has it, or has done it.
        if not 0 <= self._clock() - now_ms < LEASE_MORE_MS:
            return  # It slept: before sending ends somebody else may begin. The lease brings the notice back.
        try:
            detail = await self._channel.send(owed)
        except DeliveryFailed as error:
            await self._record_failure(owed, error)
            return
        # A crash before this commit sends the notice again: at least once. Its key lets the receiver tell.
        async with self._db.writing() as connection:
            await outbox.record_delivered(connection, owed, self._clock(), detail)
        self._count("delivered")

    async def _record_failure(self, owed: Owed, error: DeliveryFailed) -> None:
        now_ms = self._clock()
        retry_ms = None
        if not error.is_permanent:
            chance = random.random()  # noqa: S311 - spreads load, guards nothing
            retry_ms = retry_at_ms(attempts=owed.attempts + 1, created_ms=owed.created_ms, now_ms=now_ms, chance=chance)
        async with self._db.writing() as connection:
            await outbox.record_failed(connection, owed, now_ms, str(error), retry_ms)
        self._count("failed" if retry_ms else "given_up")
        facts = fields(channel=self._channel.name, key=owed.key, attempt=owed.attempts + 1, why=error)
        log.warning("notice not delivered%s", "" if retry_ms else ", given up", extra=facts)

    def _count(self, result: str) -> None:
        self._metrics.deliveries.labels(self._channel.name, result).inc()
