"""Room taken."""

from collector.history.tiers import DAY_MS, RAW
from collector.storage import chunks, room
from collector.storage.database import Database


async def test_what_is_written_takes_room(db: Database) -> None:
    async with db.reading() as connection:
        before = await room.taken(connection)
    async with db.writing() as connection:
        await chunks.put(connection, RAW, {(1, 20_000 * DAY_MS): bytes(range(256)) * 4_000})
    async with db.reading() as connection:
        after = await room.taken(connection)
    assert after.total >= before.total + 500_000
    if after.tables:
        assert after.tables["chunk_raw"] > 500_000


async def test_what_was_deleted_is_free_to_be_written_again(sqlite: Database) -> None:
    async with sqlite.writing() as connection:
        await chunks.put(connection, RAW, {(1, 0): bytes(100_000)})
    async with sqlite.writing() as connection:
        await chunks.drop(connection, RAW, 1, 9)
    async with sqlite.reading() as connection:
        assert (await room.taken(connection)).free >= 90_000
