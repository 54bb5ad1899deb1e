"""Transactions."""

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from collector.storage import cursors
from collector.storage.cursors import EVALUATION, Cursor
from collector.storage.database import AsyncConnection, Database, database
from collector.storage.errors import AlreadyServed, DatabaseUnusable, InvalidDatabaseUrl
from collector.storage.location import Location, locate
from tests.postgres import Cluster


async def cursor_of(db: Database) -> int:
    async with db.reading() as connection:
        return (await cursors.read(connection, EVALUATION)).hot_id


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


async def _advance(db: AsyncConnection, *, to: int) -> int:
    seen = await cursors.read(db, EVALUATION)
    assert await cursors.advance(db, EVALUATION, seen=seen, to=seen.hot_id + to)
    return seen.hot_id


async def test_a_transaction_in_one_go_is_a_transaction(db: Database) -> None:
    assert await db.transact(lambda connection: _advance(connection, to=9)) == 0
    assert await cursor_of(db) == 9

    async def fail_half_way(connection: AsyncConnection) -> None:
        await _advance(connection, to=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.transact(fail_half_way)
    assert await cursor_of(db) == 9


async def test_transactions_in_one_go_take_turns_with_others(sqlite: Database) -> None:
    async def add_one() -> None:
        async with sqlite.writing() as connection:
            await _advance(connection, to=1)

    async def add_one_in_one_go() -> None:
        await sqlite.transact(lambda connection: _advance(connection, to=1))

    await asyncio.gather(*(way() for way in [add_one, add_one_in_one_go] * 10))
    assert await cursor_of(sqlite) == 20


async def test_a_guard_stands_before_a_transaction_in_one_go_too(db: Database) -> None:
    async def refuse(_: AsyncConnection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.guarded_by(refuse).transact(lambda connection: _advance(connection, to=9))
    assert await cursor_of(db) == 0


async def test_what_goes_wrong_within_one_go_is_told_as_anywhere(db: Database) -> None:
    async def mistake(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("INSERT INTO cursor VALUES ('evaluation', 1, 0)")

    async def ask_for_what_is_not_there(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("SELECT 1 FROM nowhere")

    with pytest.raises(IntegrityError):
        await db.transact(mistake)
    with pytest.raises(DatabaseUnusable if db.location.file else ProgrammingError):
        await db.transact(ask_for_what_is_not_there)


async def test_whoever_is_cancelled_waits_for_the_end_of_a_transaction_in_one_go(sqlite: Database) -> None:
    """Its thread goes on anyway: nobody may take the next turn, or close the file, before it is done."""
    working = asyncio.create_task(sqlite.transact(lambda connection: _advance(connection, to=9)))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await sqlite.transact(lambda connection: _advance(connection, to=1)) in {0, 9}


async def test_a_transaction_in_one_go_awaits_nothing_but_its_connection(sqlite: Database) -> None:
    """There is no event loop in its thread."""

    async def wait(_: AsyncConnection) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaits its connection only"):
        await sqlite.transact(wait)


async def test_a_commit_is_synced_to_the_disk(sqlite: Database) -> None:
    """WAL with synchronous=FULL: what was acknowledged survives a power cut."""
    async with sqlite.writing() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}

    async def synchronous(connection: AsyncConnection) -> int:
        return int((await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one())

    assert await sqlite.transact(synchronous) == 2


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


async def test_a_backend_whose_driver_is_not_here_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidDatabaseUrl, match="no driver"):
        async with database(locate("oracle+nothing://x/y")):
            pass


async def _work(db: Database) -> None:
    async with db.writing() as connection:
        for _ in range(2):
            await connection.exec_driver_sql("SELECT 1")


@pytest.mark.parametrize("warm", [False, True])
async def test_whoever_is_cancelled_at_any_moment_leaves_no_connection_behind(location: Location, warm: bool) -> None:
    """A driver's connection that nobody holds is closed by nobody, and complains in whatever runs next."""
    for steps in (*range(0, 30, 3), 50):
        for again in (0, 1, 3):
            async with database(location) as db:
                if warm:
                    await db.ping()
                working = asyncio.create_task(_work(db))
                for _ in range(steps):
                    await asyncio.sleep(0)
                working.cancel()
                for _ in range(again):
                    await asyncio.sleep(0)
                    working.cancel()
                await asyncio.wait([working])
                await _work(db)  # Nobody keeps the lock, though `working` keeps its traceback.
            gc.collect()


async def test_whoever_comes_once_it_is_closed_is_turned_away_and_opens_nothing(location: Location) -> None:
    """A handler whose client hung up goes on, and asks again after the collector has closed its database."""
    async with database(location) as db:
        assert await cursor_of(db) == 0

    async def commit() -> int:
        return await db.transact(lambda connection: _advance(connection, to=1))

    async def write() -> None:
        async with db.writing() as connection:
            await _advance(connection, to=1)

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


@pytest.mark.parametrize(
    ("by_default", "kept"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
)
async def test_a_commit_waits_for_the_disk_whatever_the_server_has_by_default(
    postgresql: Cluster, postgresql_location: Location, by_default: str, kept: str
) -> None:
    name = postgresql_location.url.database
    postgresql.sql(f"ALTER DATABASE {name} SET synchronous_commit = {by_default}")
    async with database(postgresql_location) as db, db.writing() as connection:
        assert (await connection.exec_driver_sql("SHOW synchronous_commit")).scalar_one() == kept


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


async def test_connections_the_server_closed_are_told_once_and_made_anew(
    postgresql: Cluster, postgresql_location: Location
) -> None:
    name = postgresql_location.url.database
    async with database(postgresql_location) as db:
        await db.ping()
        postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
        with pytest.raises(DatabaseUnusable):
            await db.ping()
        await db.ping()
