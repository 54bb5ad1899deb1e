"""Ports that were in use on this host, remembered on disk: a service that is down today wants its port tomorrow.

SQLite beside the spool. Only what changed is written: a port that is new, one whose use changed, and each port that is
still in use once an hour; so `last` is right to the hour. The edge; `changes` decides and is pure.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from shared.errors import PortgaugeError

FILE = "bound.db"
REFRESH_MS = 3_600_000
KEEP_MS = 90 * 86_400_000
MOST_PORTS = 50_000
"""Of all namespaces; past it those not seen for longest go. Some 3 MB."""
PATIENCE_S = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bound (
    netns TEXT NOT NULL, port INTEGER NOT NULL, use TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (netns, port)
) WITHOUT ROWID
"""
_FORGET = "DELETE FROM bound WHERE last_ms < ?"
_BOUND = """
DELETE FROM bound WHERE (netns, port) IN (SELECT netns, port FROM bound ORDER BY last_ms DESC LIMIT -1 OFFSET ?)
"""


class MemoryUnusable(PortgaugeError):
    """The file cannot be read or written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}")
        self.path = path


class Seen(NamedTuple):
    """What had a port, and when; wall-clock milliseconds."""

    use: str
    first_ms: int
    last_ms: int


def changes(known: Mapping[int, Seen], in_use: Mapping[int, str], now_ms: int) -> dict[int, Seen]:
    """The ports about which something is to be written, with what. Pure."""
    found = {}
    for port, use in in_use.items():
        old = known.get(port)
        if old is None:
            found[port] = Seen(use, now_ms, now_ms)
        elif old.use != use or not 0 <= now_ms - old.last_ms < REFRESH_MS:
            found[port] = Seen(use, min(old.first_ms, now_ms), now_ms)
    return found


class BoundMemory:
    """The file, open. Methods block on the disk. Not for two threads."""

    def __init__(self, directory: Path, *, may_write: bool = False) -> None:
        """Open it; `may_write` creates what is missing. A damaged file is replaced. Raises MemoryUnusable."""
        self._path = directory / FILE
        try:
            self._db = self._created(directory) if may_write else self._connected("ro")
            self._db.execute("SELECT count(*) FROM bound").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise MemoryUnusable(self._path, str(error)) from error

    def _created(self, directory: Path) -> sqlite3.Connection:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._with_tables()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # Locked, read-only or full: not damage.
            self._path.replace(self._path.with_suffix(".damaged"))
            return self._with_tables()

    def _with_tables(self) -> sqlite3.Connection:
        database = self._connected("rwc")
        database.execute(_SCHEMA)
        return database

    def _connected(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def seen(self, netns: str) -> dict[int, Seen]:
        """What is remembered of one namespace, by port. Raises MemoryUnusable."""
        try:
            rows = self._db.execute("SELECT port, use, first_ms, last_ms FROM bound WHERE netns = ?", (netns,))
            return {port: Seen(*rest) for port, *rest in rows}
        except sqlite3.Error as error:
            raise MemoryUnusable(self._path, str(error)) from error

    def note(self, in_use: Mapping[str, Mapping[int, str]], now_ms: int) -> int:
        """Remember what is in use now, by namespace; answers how many ports had to be written for it.

        What was not seen for KEEP_MS is forgotten. Raises MemoryUnusable.
        """
        rows = [
            (netns, port, *seen)
            for netns, ports in in_use.items()
            for port, seen in changes(self.seen(netns), ports, now_ms).items()
        ]
        if rows:
            try:
                with self._db:
                    self._db.executemany("INSERT OR REPLACE INTO bound VALUES (?, ?, ?, ?, ?)", rows)
                    self._db.execute(_FORGET, (now_ms - KEEP_MS,))
                    self._db.execute(_BOUND, (MOST_PORTS,))
            except sqlite3.Error as error:
                raise MemoryUnusable(self._path, str(error)) from error
        return len(rows)
