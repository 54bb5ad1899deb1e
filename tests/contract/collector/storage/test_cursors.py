"""Places in the log."""

from collector.storage import cursors
from collector.storage.cursors import EVALUATION, Cursor
from collector.storage.database import Database


async def test_a_cursor_begins_before_everything(db: Database) -> None:
    async with db.reading() as connection:
        assert await cursors.read(connection, EVALUATION) == Cursor(0, 0)


async def test_of_two_readers_one_moves_it(db: Database) -> None:
    """The other one's work is then not to be written: it is done already."""
    async with db.writing() as connection:
        assert await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=5)
        assert not await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=4)
        assert await cursors.read(connection, EVALUATION) == Cursor(5, 1)


async def test_a_round_without_anything_new_in_the_log_is_fenced_too(db: Database) -> None:
    """Silence moves alerts, not the place in the log."""
    async with db.writing() as connection:
        assert await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=0)
        assert not await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=0)
