"""Which database: a SQLAlchemy URL, or a bare path that means SQLite."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from collector.storage.errors import InvalidDatabaseUrl

_ASYNC_SQLITE = "sqlite+aiosqlite"
_ASYNC_POSTGRESQL = "postgresql+asyncpg"


@dataclass(frozen=True, slots=True)
class Location:
    """A database's address; `file` is set for SQLite only."""

    url: URL
    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)


def locate(text: str) -> Location:
    """Read what `--database` or PORTGAUGE_DATABASE says. Raises InvalidDatabaseUrl."""
    if "://" not in text:
        return _sqlite(text, text)
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)
    except (ArgumentError, ValueError):
        raise InvalidDatabaseUrl("URL", "cannot be read; write a path, or scheme://user:password@host/name") from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(url.database or "", text)
    if url.drivername == "postgresql":
        url = url.set(drivername=_ASYNC_POSTGRESQL)
    return Location(url)


def _sqlite(path: str, text: str) -> Location:
    if path in {"", ":memory:"}:
        raise InvalidDatabaseUrl(repr(text), "names no file, and a database in memory would keep no history")
    file = Path(path).expanduser().absolute()
    return Location(URL.create(_ASYNC_SQLITE, database=str(file)), file)
