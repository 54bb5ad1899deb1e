"""Group commit: whoever waits while one transaction is being synced shares the next one.

What comes after a pause is committed at once; the next batch begins no earlier than GATHER_S after it: a transaction
costs a millisecond however little it holds, and forty at a time cost little more than one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector.access.token import Unauthenticated
from collector.fleet.host import Arrival
from collector.ingest.record import Conflicting, record
from collector.ingest.roster import Roster
from collector.metrics import Metrics
from collector.storage import tokens
from collector.storage.database import AsyncConnection, Database
from collector.storage.errors import DatabaseUnusable
from shared.clock import monotonic_s
from shared.logs import fields

MAX_BATCH = 512
GATHER_S = 0.04
log = logging.getLogger(__name__)

Outcome = bool | Exception
"""Whether a snapshot is a duplicate; or why it is not kept."""


class Waiting(NamedTuple):
    """A snapshot to be written, the token it came with, and whom to tell: `settle` is called once."""

    arrival: Arrival
    token_id: str
    settle: Callable[[Outcome], None]


class Intake:
    """Where arrivals wait to be written. Bounded by ingest.admission, through which every one of them came."""

    def __init__(self, db: Database, metrics: Metrics, *, on_commit: Callable[[], None]) -> None:
        self._db, self._metrics, self._on_commit = db, metrics, on_commit
        self._queue: deque[Waiting] = deque()
        self._some = asyncio.Event()
        self._roster = Roster()
        self.renewals: frozenset[str] = frozenset()
        """Tokens of the latest batch that their agents are to exchange."""

    def submit(self, waiting: Waiting) -> None:
        """Have it written with the next batch."""
        self._queue.append(waiting)
        self._some.set()

    async def take(self, arrival: Arrival, token_id: str) -> bool:
        """Answer once it is durable: whether it is a duplicate. Raises whatever keeps it from being kept."""
        settled: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if not settled.done():
                settled.set_result(outcome)

        self.submit(Waiting(arrival, token_id, settle))
        outcome = await settled
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def commit_forever(self) -> None:
        """Write down what waits, batch after batch."""
        while True:
            await self._some.wait()
            began_s = monotonic_s()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            if not self._queue:
                self._some.clear()
            await self._commit(batch)
            await asyncio.sleep(began_s + GATHER_S - monotonic_s())

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        began_s = monotonic_s()
        try:
            outcomes = await self._db.transact(lambda connection: self._written(connection, batch))
        except DatabaseUnusable as error:
            self._roster.forget()
            log.error("snapshots refused", extra=fields(count=len(batch), why=error))  # noqa: TRY400 - foreseen
            _tell(batch, [error] * len(batch))
        except Exception as error:
            self._roster.forget()
            _tell(batch, [error] * len(batch))
            raise
        else:
            self._metrics.commit_seconds.observe(monotonic_s() - began_s)
            self._metrics.commit_snapshots.observe(len(batch))
            _report(outcomes)
            _tell(batch, outcomes)
            self._on_commit()

    async def _written(self, db: AsyncConnection, batch: Sequence[Waiting]) -> list[Outcome]:
        """Record those whose tokens are alive: one that ended since it was last asked for is refused here."""
        now_ms = max(waiting.arrival.received_ms for waiting in batch)
        alive = await tokens.alive(db, {waiting.token_id for waiting in batch}, now_ms)
        self.renewals = frozenset(name for name, due_ms in alive.items() if due_ms is not None and due_ms <= now_ms)
        good = [waiting for waiting in batch if waiting.token_id in alive]
        outcomes = iter(await record(db, [waiting.arrival for waiting in good], self._roster) if good else [])
        return [next(outcomes) if waiting.token_id in alive else Unauthenticated() for waiting in batch]


def _report(outcomes: Sequence[Outcome]) -> None:
    conflicts = [outcome for outcome in outcomes if isinstance(outcome, Conflicting)]
    if conflicts:
        log.warning("snapshots refused", extra=fields(count=len(conflicts), why=conflicts[0]))


def _tell(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        waiting.settle(outcome)
