"""A database of every backend, and a collector over it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.storage.database import Database, database
from collector.storage.location import locate
from collector.storage.schema import migrate
from tests.collecting import Collecting, collecting


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, migrated once and copied for each test."""
    file = tmp_path_factory.mktemp("migrated") / "history.db"
    asyncio.run(migrate(locate(str(file))))
    return file


@pytest.fixture(params=["sqlite"])
async def db(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database. Whatever holds of one backend holds of every other that joins this list."""
    assert request.param == "sqlite"
    file = tmp_path / "history.db"
    shutil.copy(migrated_file, file)
    async with database(locate(str(file))) as opened:
        yield opened


@pytest.fixture
async def collector(db: Database) -> AsyncIterator[Collecting]:
    """A running collector whose clock stands at noon."""
    async with collecting(db) as running:
        yield running
