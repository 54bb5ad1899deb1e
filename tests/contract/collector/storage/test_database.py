"""Transactions."""

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from collector.storage import cursors
from collector.storage.cursors import EVALUATION, Cursor
from collector.storage.database import Database, database
from collector.storage.errors import AlreadyServed, DatabaseUnusable
from collector.storage.location import Location, locate
from tests.cursor import advance, cursor_of


async def test_a_block_that_raises_leaves_nothing_behind(db: Database) -> None:
    async def fail_half_way() -> None:
        async with db.writing() as connection:
            assert await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    assert await cursor_of(db) == 0


async def test_a_reader_sees_one_moment_however_long_it_looks(db: Database) -> None:
    async with db.reading() as reader:
        assert (await cursors.read(reader, EVALUATION)).hot_id == 0
        async with db.writing() as writer:
            await cursors.advance(writer, EVALUATION, seen=Cursor(0, 0), to=9)
        assert (await cursors.read(reader, EVALUATION)).hot_id == 0
    assert await cursor_of(db) == 9


async def test_writers_take_turns(sqlite: Database) -> None:
    """None of them sees `database is locked`."""

    async def add_one() -> None:
        async with sqlite.writing() as connection:
            seen = await cursors.read(connection, EVALUATION)
            await asyncio.sleep(0)
            assert await cursors.advance(connection, EVALUATION, seen=seen, to=seen.hot_id + 1)

    await asyncio.gather(*(add_one() for _ in range(30)))
    assert await cursor_of(sqlite) == 30


async def test_our_own_mistakes_are_not_passed_off_as_trouble_of_the_database(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.writing() as connection:
            await connection.exec_driver_sql("INSERT INTO cursor VALUES ('evaluation', 1, 0)")


async def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        async with database(locate(str(file))) as db:
            await db.ping()


async def test_a_database_that_is_locked_for_too_long_is_unusable(
    sqlite: Database,
) -> None:
    async with sqlite.writing() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=1")
    other = sqlite3.connect(str(sqlite.location), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseUnusable, match="locked"):
            async with sqlite.writing():
                pass
    finally:
        other.close()


async def test_one_file_is_served_by_one_process(sqlite: Database) -> None:
    async with database(sqlite.location, alone=True):
        with pytest.raises(AlreadyServed):
            async with database(sqlite.location, alone=True):
                pass
        async with database(sqlite.location) as beside:
            await beside.ping()
    async with database(sqlite.location, alone=True):
        pass


async def test_whoever_comes_once_it_is_closed_is_turned_away_and_opens_nothing(location: Location) -> None:
    """A handler whose client hung up goes on, and asks again after the collector has closed its database."""
    async with database(location) as db:
        assert await cursor_of(db) == 0

    async def commit() -> int:
        return await db.transact(lambda connection: advance(connection, by=1))

    async def write() -> None:
        async with db.writing() as connection:
            await advance(connection, by=1)

    for ask in (lambda: cursor_of(db), commit, write, db.ping):
        with pytest.raises(DatabaseUnusable, match="it is closed"):
            await ask()
    gc.collect()


async def test_it_is_closed_behind_the_last_one_inside(location: Location) -> None:
    is_inside, may_leave = asyncio.Event(), asyncio.Event()

    async def linger(db: Database) -> int:
        async with db.reading() as connection:
            is_inside.set()
            await may_leave.wait()
            return (await cursors.read(connection, EVALUATION)).hot_id

    async with database(location) as db:
        lingering = asyncio.create_task(linger(db))
        await is_inside.wait()
        asyncio.get_running_loop().call_later(0.05, may_leave.set)
    assert lingering.done()
    assert await lingering == 0


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


async def test_writers_work_beside_each_other(postgresql_location: Location) -> None:
    """A long compaction must not hold up ingest."""
    async with database(postgresql_location) as db, db.writing() as slow:
        await slow.exec_driver_sql("SELECT 1")
        async with db.writing() as quick:
            await cursors.advance(quick, EVALUATION, seen=Cursor(0, 0), to=9)
        assert await cursor_of(db) == 9


async def test_a_reader_cannot_write(postgresql_location: Location) -> None:
    async with database(postgresql_location) as db:
        with pytest.raises(DatabaseUnusable, match="read-only"):
            async with db.reading() as connection:
                await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=9)


async def test_a_server_that_is_not_there_is_unusable(tmp_path: Path) -> None:
    async with database(locate(f"postgresql://me:hunter2@/x?host={tmp_path}&port=5432")) as db:
        with pytest.raises(DatabaseUnusable, match=r"\*\*\*.*No such file") as caught:
            await db.ping()
    assert "hunter2" not in str(caught.value)
