"""How far a reader of the hot log has come."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from collector.storage import tables
from collector.storage.database import AsyncConnection

cursor = tables.cursor

EVALUATION = "evaluation"
_READ = select(cursor.c.hot_id, cursor.c.round).where(cursor.c.name == bindparam("reader"))
_ADVANCE = (
    update(cursor)
    .where(cursor.c.name == bindparam("reader"), cursor.c.round == bindparam("seen"))
    .values(hot_id=bindparam("to"), round=cursor.c.round + 1)
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to `hot_id` is done. `round` counts the rounds that were written down, and fences them."""

    hot_id: int
    round: int


async def read(db: AsyncConnection, name: str) -> Cursor:
    """How far the reader has come."""
    return Cursor(*(await db.execute(_READ, {"reader": name})).one())


async def advance(db: AsyncConnection, name: str, *, seen: Cursor, to: int) -> bool:
    """Begin to write the round after `seen`; False where another has written one since, whose work then stands.

    It locks the row until the transaction ends, so of two writers at once one waits, and then is refused: a process
    that was paused, and wakes with an old view, writes nothing.
    """
    result = await db.execute(_ADVANCE, {"reader": name, "seen": seen.round, "to": to})
    return result.rowcount == 1


async def slowest(db: AsyncConnection) -> int:
    """Up to where every reader of the log is done."""
    return int((await db.execute(select(func.min(cursor.c.hot_id)))).scalar_one())
