"""A database of every backend, and a collector over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.storage.database import Database
from tests.collecting import Collecting, collecting, migrated


@pytest.fixture(params=["sqlite"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database. Whatever holds of one backend holds of every other that joins this list."""
    assert request.param == "sqlite"
    async with migrated(tmp_path / "history.db") as opened:
        yield opened


@pytest.fixture
async def collector(db: Database) -> AsyncIterator[Collecting]:
    """A running collector whose clock stands at noon."""
    async with collecting(db) as running:
        yield running
