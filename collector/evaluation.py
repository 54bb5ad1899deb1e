"""Reads the log, judges, and writes down what follows, all or nothing: alerts, transitions, notices and the cursor.

A restart between reading and writing judges the same snapshots again; one after it goes on behind them. Nothing is
lost, and nobody is told twice.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.alerts.evaluate import Case, Subject, Verdict, judge
from collector.alerts.notice import compose
from collector.alerts.rules import Rule
from collector.fleet.host import Host, Presence
from collector.metrics import Metrics
from collector.storage import alerts, cursors, hosts, hot, outbox
from collector.storage.cursors import EVALUATION
from collector.storage.database import AsyncConnection, Database
from collector.storage.hot import Logged
from shared import wire
from shared.logs import fields
from shared.model import Snapshot

BATCH = 32
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What one round has to judge. `now_ms` is when it began."""

    now_ms: int
    cursor: int
    logged: Sequence[Logged]
    hosts: dict[int, Host]
    cases: dict[int, dict[Subject, Case]]

    @property
    def is_caught_up(self) -> bool:
        """Whether this is all there is in the log: only then does silence mean anything."""
        return len(self.logged) < BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """One round after another over the log. There must be one only."""

    db: Database
    rules: Sequence[Rule]
    channels: Sequence[str]
    """Names of those who are told."""
    metrics: Metrics
    clock: Callable[[], int]
    on_notice: Callable[[], None]
    """Called when notices may have become due."""

    async def evaluate(self) -> bool:
        """Judge the next stretch of the log, then who has fallen silent. True where more is waiting."""
        async with self.db.reading() as connection:
            work = await _load(connection, self.clock())
        # In a thread: a batch of fat reports takes seconds to decode, and requests must not wait for it.
        verdicts = await asyncio.to_thread(decide, self.rules, work)
        if work.logged or verdicts:
            async with self.db.writing() as connection:
                await self._write(connection, work, verdicts)
            self._count(verdicts)
            self.on_notice()
        return not work.is_caught_up

    async def _write(self, db: AsyncConnection, work: Work, verdicts: Sequence[tuple[Host, Verdict]]) -> None:
        end = work.logged[-1].id if work.logged else work.cursor
        if not await cursors.advance(db, EVALUATION, seen=work.cursor, to=end):
            log.warning("another collector evaluates this database", extra=fields(cursor=work.cursor))
            return
        for host, verdict in verdicts:
            alert_id = await alerts.write(db, host.id, verdict)
            notice = compose(host.name, host.role, verdict.case, verdict.transition) if verdict.transition else None
            if notice:
                await outbox.put(db, alert_id, notice, self.channels, work.now_ms)

    def _count(self, verdicts: Sequence[tuple[Host, Verdict]]) -> None:
        for _, verdict in verdicts:
            if verdict.transition:
                self.metrics.transitions.labels(verdict.case.severity, verdict.transition.after.value).inc()


def decide(rules: Sequence[Rule], work: Work) -> list[tuple[Host, Verdict]]:
    """Every verdict of this round, in order. Snapshots are judged as of when they were received."""
    verdicts = [
        (work.hosts[logged.host_id], verdict)
        for logged in work.logged
        for verdict in _judged(rules, work.cases[logged.host_id], _snapshot(logged), logged.received_ms)
    ]
    if work.is_caught_up:
        silent = (host for host in work.hosts.values() if host.presence(work.now_ms) is Presence.SILENT)
        verdicts += [
            (host, verdict) for host in silent for verdict in _judged(rules, work.cases[host.id], None, work.now_ms)
        ]
    return verdicts


def _judged(rules: Sequence[Rule], cases: dict[Subject, Case], snapshot: Snapshot | None, now_ms: int) -> list[Verdict]:
    """The verdicts; `cases` is brought up to date with them for the next snapshot of the round."""
    verdicts = judge(rules, cases, snapshot, now_ms)
    cases.update({verdict.case.subject: verdict.case for verdict in verdicts})
    return verdicts


async def _load(db: AsyncConnection, now_ms: int) -> Work:
    cursor = await cursors.read(db, EVALUATION)
    logged = await hot.newest_after(db, cursor, BATCH)
    ids = {item.host_id for item in logged} | await alerts.hosts_not_unknown(db)
    return Work(
        now_ms,
        cursor,
        logged,
        {host.id: host for host in await hosts.with_ids(db, ids)},
        await alerts.of_hosts(db, ids),
    )


def _snapshot(logged: Logged) -> Snapshot | None:
    """The snapshot; None, which makes everything of its host unknown, where this version can no longer read it."""
    try:
        return wire.decode(logged.body)
    except wire.WireError as error:
        log.error("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))  # noqa: TRY400
        return None
