"""A number in a database to write and to read: the cursor of the evaluation."""

from collector.storage import cursors
from collector.storage.cursors import EVALUATION
from collector.storage.database import AsyncConnection, Database


async def cursor_of(db: Database) -> int:
    """Where it stands."""
    return await db.read(standing)


async def standing(db: AsyncConnection) -> int:
    """Where it stands, by a view that is open."""
    return (await cursors.read(db, EVALUATION)).hot_id


async def advance(db: AsyncConnection, *, by: int) -> int:
    """Move it on by so much; answers where it stood."""
    seen = await cursors.read(db, EVALUATION)
    assert await cursors.advance(db, EVALUATION, seen=seen, to=seen.hot_id + by)
    return seen.hot_id
