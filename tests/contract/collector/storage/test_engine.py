"""Connections: how they are prepared, and that none is left behind."""

import asyncio
import gc

import pytest

from collector.storage.database import AsyncConnection, Database, database
from collector.storage.errors import DatabaseUnusable, InvalidDatabaseUrl
from collector.storage.location import Location, locate
from tests.postgres import Cluster


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


async def test_what_is_deleted_is_not_written_once_more_to_be_overwritten(sqlite: Database) -> None:
    """Debian builds SQLite so that it would be: a page for every snapshot that becomes history."""

    async def secure_delete(connection: AsyncConnection) -> int:
        return int((await connection.exec_driver_sql("PRAGMA secure_delete")).scalar_one())

    fast = 2
    assert await sqlite.transact(secure_delete) == await sqlite.read(secure_delete) == fast
    async with sqlite.writing() as connection:
        assert await secure_delete(connection) == fast


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
