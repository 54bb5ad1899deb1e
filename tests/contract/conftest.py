"""A database of every backend, and a collector over it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from collector.storage.database import Database, database
from collector.storage.location import Location, locate
from collector.storage.schema import migrate
from tests.collecting import Collecting, collecting
from tests.postgres import QUICK, Cluster, cluster, why_none

MIGRATED = "migrated"


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """One test sends one push after another: none would gain by waiting for company."""
    monkeypatch.setattr("collector.ingest.intake.GATHER_S", 0.0)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, migrated once and copied for each test."""
    file = tmp_path_factory.mktemp("migrated") / "history.db"
    asyncio.run(migrate(locate(str(file))))
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server for all tests of this run, with a migrated database to copy."""
    if reason := why_none():
        pytest.skip(reason)
    with cluster(QUICK) as server:
        server.new_database(name=MIGRATED)
        asyncio.run(migrate(locate(server.url(MIGRATED))))
        yield server


@pytest.fixture
def sqlite_location(migrated_file: Path, tmp_path: Path) -> Location:
    """An empty database in a file of its own."""
    file = tmp_path / "history.db"
    shutil.copy(migrated_file, file)
    return locate(str(file))


@pytest.fixture
def postgresql_location(postgresql: Cluster) -> Iterator[Location]:
    """An empty database in the server of this run."""
    name = postgresql.new_database(MIGRATED)
    yield locate(postgresql.url(name))
    postgresql.drop(name)


@pytest.fixture
def another_postgresql_location(postgresql: Cluster) -> Iterator[Location]:
    """An empty database beside the other."""
    name = postgresql.new_database(MIGRATED)
    yield locate(postgresql.url(name))
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest) -> Location:
    """An empty database of each backend. Whatever holds of one holds of the other."""
    found: Location = request.getfixturevalue(f"{request.param}_location")
    return found


@pytest.fixture
async def db(location: Location) -> AsyncIterator[Database]:
    """An empty database of each backend, open."""
    async with database(location) as opened:
        yield opened


@pytest.fixture
async def sqlite(sqlite_location: Location) -> AsyncIterator[Database]:
    """An empty SQLite database, for what only SQLite does."""
    async with database(sqlite_location) as opened:
        yield opened


@pytest.fixture
async def collector(db: Database) -> AsyncIterator[Collecting]:
    """A running collector whose clock stands at noon."""
    async with collecting(db) as running:
        yield running
