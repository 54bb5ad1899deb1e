"""Silences and maintenance windows."""

from typing import Any

from sqlalchemy import bindparam, delete, insert, literal, select, tuple_, update

from collector.alerts.silences import Silence, from_matchers
from collector.storage import tables
from collector.storage.database import AsyncConnection

silence = tables.silence
_PLACE = (silence.c.ends_ms, silence.c.id)
_CURRENT = select(*silence.c).where(silence.c.ends_ms > bindparam("now_ms")).order_by(*_PLACE)


async def add(db: AsyncConnection, made: Silence) -> int:
    """Keep it. Answers its id."""
    values = {
        "author": made.author,
        "reason": made.reason,
        "created_ms": made.created_ms,
        "starts_ms": made.starts_ms,
        "ends_ms": made.ends_ms,
        "matchers": made.matchers(),
    }
    return int((await db.execute(insert(silence).values(values).returning(silence.c.id))).scalar_one())


async def current(
    db: AsyncConnection, now_ms: int, *, limit: int | None = None, after: tuple[int, int] | None = None
) -> list[Silence]:
    """Those that are active or yet to come, the first to end first; those after (ends_ms, id) of one of them."""
    query = _CURRENT if limit is None else _CURRENT.limit(limit)
    if after:
        query = query.where(tuple_(*_PLACE) > tuple_(*map(literal, after)))
    return [_silence(row) for row in await db.execute(query, {"now_ms": now_ms})]


async def within(db: AsyncConnection, from_ms: int, to_ms: int) -> list[Silence]:
    """Those that held at some time within [from, to), in the order they were made; ended ones while they are kept."""
    # One that was ended before it began never held.
    held = (silence.c.starts_ms < to_ms) & (silence.c.ends_ms > from_ms) & (silence.c.starts_ms < silence.c.ends_ms)
    return [_silence(row) for row in await db.execute(select(*silence.c).where(held).order_by(silence.c.id))]


async def expire(db: AsyncConnection, silence_id: int, now_ms: int) -> bool:
    """End it now; one that has not begun will never. False where none of that id is current."""
    which = (silence.c.id == silence_id) & (silence.c.ends_ms > now_ms)
    return (await db.execute(update(silence).where(which).values(ends_ms=now_ms))).rowcount == 1


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget those that ended before `before_ms`. Answers how many."""
    return (await db.execute(delete(silence).where(silence.c.ends_ms < before_ms))).rowcount


def _silence(row: Any) -> Silence:
    return Silence(
        id=row.id,
        author=row.author,
        reason=row.reason,
        created_ms=row.created_ms,
        # One that was ended before it began never was: it is kept for the record, not read here.
        starts_ms=row.starts_ms,
        ends_ms=row.ends_ms,
        **from_matchers(row.matchers),
    )
