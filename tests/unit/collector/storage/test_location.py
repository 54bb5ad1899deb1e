"""Which database."""

from pathlib import Path

import pytest

from collector.storage.errors import InvalidDatabaseUrl
from collector.storage.location import locate


@pytest.mark.parametrize("text", ["/var/x.db", "sqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"])
def test_a_bare_path_and_every_spelling_of_sqlite_mean_the_same(text: str) -> None:
    location = locate(text)
    assert location.file == Path("/var/x.db")
    assert location.url.drivername == "sqlite+aiosqlite"
    assert str(location) == "/var/x.db"


def test_a_relative_path_is_made_absolute() -> None:
    """Or the lock beside it would depend on where somebody stood."""
    assert locate("x.db").file == Path.cwd() / "x.db"


def test_the_home_directory_may_be_abbreviated() -> None:
    assert locate("~/x.db").file == Path.home() / "x.db"


def test_another_backend_keeps_its_url_and_hides_its_password() -> None:
    location = locate("postgresql+asyncpg://me:hunter2@db/portgauge")
    assert location.file is None
    assert "hunter2" not in str(location)


@pytest.mark.parametrize("text", ["postgres://db/x", "postgresql://db/x", "postgresql+asyncpg://db/x"])
def test_postgresql_needs_no_driver_in_its_url(text: str) -> None:
    assert locate(text).url.drivername == "postgresql+asyncpg"


@pytest.mark.parametrize("text", ["", ":memory:", "sqlite://", "sqlite:///:memory:", "://", "pg://me@:x/"])
def test_what_names_no_database_is_refused(text: str) -> None:
    with pytest.raises(InvalidDatabaseUrl):
        locate(text)
