"""Notices owed to channels. A row is written with the transition it tells of, and closed when it was told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from collector.alerts.digest import KINDS, thread_of
from collector.alerts.notice import Notice
from collector.storage import tables
from collector.storage.database import AsyncConnection

outbox, attempt, incident = tables.outbox, tables.attempt, tables.incident

DELIVERED = "delivered"
GIVEN_UP = "given_up"
_EARLIER = outbox.alias()
_IS_BEHIND = (
    select(_EARLIER.c.id)
    .where(
        _EARLIER.c.channel == outbox.c.channel,
        _EARLIER.c.thread == outbox.c.thread,
        _EARLIER.c.outcome.is_(None),
        _EARLIER.c.id < outbox.c.id,
    )
    .exists()
)
_DUE = (
    select(outbox.c.id, outbox.c.key, outbox.c.document, outbox.c.created_ms, outbox.c.attempts)
    .where(outbox.c.channel == bindparam("to"), outbox.c.outcome.is_(None))
    .where(outbox.c.next_attempt_ms <= bindparam("now_ms"), ~_IS_BEHIND)
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_STUCK = (
    select(outbox.c.channel, func.min(outbox.c.created_ms).label("since_ms"))
    .where(outbox.c.outcome.is_(None), outbox.c.attempts > 0)
    .group_by(outbox.c.channel)
)


@dataclass(frozen=True, slots=True)
class Owed:
    """A notice that a channel has not taken yet."""

    id: int
    key: str
    document: dict[str, Any]
    created_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand a notice over."""

    at_ms: int
    succeeded: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice to one channel, and how it went: `outcome` is delivered, given_up, or None while it is owed."""

    id: int
    key: str
    channel: str
    document: dict[str, Any]
    created_ms: int
    outcome: str | None
    closed_ms: int | None
    attempts: tuple[Attempt, ...]


async def put(db: AsyncConnection, notice: Notice, channels: Iterable[str], now_ms: int) -> None:
    """Owe the notice to each channel, at once. One that a channel is owed already is not owed again."""
    known = set((await db.execute(select(outbox.c.channel).where(outbox.c.key == notice.key))).scalars())
    rows = [
        {
            "key": notice.key,
            "channel": channel,
            "thread": notice.thread,
            "document": dict(notice.document),
            "created_ms": now_ms,
            "attempts": 0,
            "next_attempt_ms": now_ms,
        }
        for channel in channels
        if channel not in known
    ]
    if rows:
        await db.execute(insert(outbox), rows)


async def is_known(db: AsyncConnection, key: str) -> bool:
    """Whether any channel is, or was, owed the notice."""
    return bool((await db.execute(select(exists().where(outbox.c.key == key)))).scalar_one())


async def due(db: AsyncConnection, channel: str, now_ms: int, limit: int) -> list[Owed]:
    """What this channel should try now, oldest first.

    A notice waits for the earlier ones of its thread, so that nobody hears `firing` after `resolved`.
    """
    return [Owed(*row) for row in await db.execute(_DUE, {"to": channel, "now_ms": now_ms, "most": limit})]


async def claim(db: AsyncConnection, owed: Owed, until_ms: int) -> bool:
    """Begin an attempt that nobody else begins until then; False where somebody has since `owed` was read."""
    free = (outbox.c.id == owed.id) & (outbox.c.attempts == owed.attempts) & outbox.c.outcome.is_(None)
    values = {"attempts": outbox.c.attempts + 1, "next_attempt_ms": until_ms}
    return (await db.execute(update(outbox).where(free).values(values))).rowcount == 1


async def record_delivered(db: AsyncConnection, owed: Owed, now_ms: int, detail: str) -> None:
    """The channel took it."""
    await _record(db, owed, now_ms, detail, succeeded=True)
    await _close(db, owed.id, now_ms, DELIVERED)


async def record_failed(db: AsyncConnection, owed: Owed, now_ms: int, detail: str, retry_ms: int | None) -> None:
    """The channel did not take it: try again at `retry_ms`, or never (None)."""
    await _record(db, owed, now_ms, detail, succeeded=False)
    if retry_ms is None:
        await _close(db, owed.id, now_ms, GIVEN_UP)
    else:
        await db.execute(update(outbox).where(outbox.c.id == owed.id).values(next_attempt_ms=retry_ms))


async def give_up_on_strangers(db: AsyncConnection, channels: Iterable[str], now_ms: int) -> int:
    """Close what is owed to channels that are no longer configured. Answers how many."""
    orphaned = outbox.c.outcome.is_(None) & outbox.c.channel.not_in(list(channels))
    result = await db.execute(update(outbox).where(orphaned).values(outcome=GIVEN_UP, closed_ms=now_ms))
    return result.rowcount


async def newest_of_incidents(db: AsyncConnection, channel: str, ended_since_ms: int) -> list[dict[str, Any]]:
    """The newest notice this channel was given of each incident that is open, or over since then."""
    is_current = incident.c.closed_ms.is_(None) | (incident.c.closed_ms >= ended_since_ms)
    newest = (
        select(func.max(outbox.c.id))
        .join(incident, incident.c.key == outbox.c.thread)
        .where(outbox.c.channel == channel, is_current)
        .group_by(outbox.c.thread)
    )
    query = select(outbox.c.document).where(outbox.c.id.in_(newest)).order_by(outbox.c.id)
    return list((await db.execute(query)).scalars())


async def listing(
    db: AsyncConnection, *, limit: int, channel: str | None = None, before_id: int | None = None
) -> list[Told]:
    """The newest notices, newest first, each with every attempt; those before one of them."""
    query = select(*outbox.c).order_by(outbox.c.id.desc()).limit(limit)
    if channel is not None:
        query = query.where(outbox.c.channel == channel)
    if before_id is not None:
        query = query.where(outbox.c.id < before_id)
    rows = (await db.execute(query)).all()
    tried: dict[int, list[Attempt]] = {row.id: [] for row in rows}
    tries = select(*attempt.c).where(attempt.c.outbox_id.in_(list(tried))).order_by(attempt.c.id)
    for row in await db.execute(tries):
        tried[row.outbox_id].append(Attempt(row.at_ms, row.succeeded, row.detail))
    return [
        Told(
            row.id,
            row.key,
            row.channel,
            row.document,
            row.created_ms,
            row.outcome,
            row.closed_ms,
            tuple(tried[row.id]),
        )
        for row in rows
    ]


async def failing_for_s(db: AsyncConnection, channels: Iterable[str], now_ms: int) -> dict[str, float]:
    """For how many seconds each of these channels has not taken what was tried; 0 where all is well."""
    since = {row.channel: row.since_ms for row in await db.execute(_STUCK)}
    return {name: max(0, now_ms - since[name]) / 1000 if name in since else 0.0 for name in channels}


async def count_owed(db: AsyncConnection) -> dict[str, int]:
    """How many notices each channel has not taken yet."""
    query = select(outbox.c.channel, func.count().label("n")).where(outbox.c.outcome.is_(None))
    return {row.channel: row.n for row in await db.execute(query.group_by(outbox.c.channel))}


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget notices closed before `before_ms`, and their attempts. Answers how many.

    Those of incidents that are open stay: Alertmanager is told them again and again. So does the newest report of a
    kind: that it is there is how it is known to have been made.
    """
    reports = outbox.alias()
    is_report = reports.c.thread.in_([thread_of(kind) for kind in KINDS])
    newest = select(func.max(reports.c.id)).where(is_report).group_by(reports.c.thread)
    is_open = select(incident.c.id).where(incident.c.key == outbox.c.thread, incident.c.closed_ms.is_(None)).exists()
    closed = (outbox.c.closed_ms < before_ms) & ~is_open & outbox.c.id.not_in(newest)
    await db.execute(delete(attempt).where(attempt.c.outbox_id.in_(select(outbox.c.id).where(closed))))
    return (await db.execute(delete(outbox).where(closed))).rowcount


async def _record(db: AsyncConnection, owed: Owed, now_ms: int, detail: str, *, succeeded: bool) -> None:
    await db.execute(insert(attempt).values(outbox_id=owed.id, at_ms=now_ms, succeeded=succeeded, detail=detail))


async def _close(db: AsyncConnection, outbox_id: int, now_ms: int, outcome: str) -> None:
    await db.execute(update(outbox).where(outbox.c.id == outbox_id).values(outcome=outcome, closed_ms=now_ms))
