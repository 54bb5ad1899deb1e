"""How far a reader of the hot log has come."""

from sqlalchemy import select, update

from collector.storage import tables
from collector.storage.database import AsyncConnection

cursor = tables.cursor

EVALUATION = "evaluation"


async def read(db: AsyncConnection, name: str) -> int:
    """The last place in the log that is done; 0 before the first."""
    found: int = (await db.execute(select(cursor.c.hot_id).where(cursor.c.name == name))).scalar_one()
    return found


async def advance(db: AsyncConnection, name: str, *, seen: int, to: int) -> bool:
    """Move on from `seen`; False where another reader has moved it since, whose work then stands."""
    unmoved = (cursor.c.name == name) & (cursor.c.hot_id == seen)
    result = await db.execute(update(cursor).where(unmoved).values(hot_id=to))
    return result.rowcount == 1
