"""Rows out of a damaged spool file: each that can be read and whose checksum holds."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from agent.spool_file import Damaged, Row, checked

MOST_DAMAGED = 3
"""Damaged files that are kept for whoever wants to look; each may be as large as a spool."""
MOST_LOOKED_FOR = 100_000
_ALL = "SELECT seq, taken_at_ms, body, refused, up_ms, crc FROM snapshot"


def set_aside(path: Path) -> Path:
    """Give a damaged file, and its log, another name; forget the oldest set aside before. Raises OSError."""
    aside = path.with_suffix(f".damaged-{uuid.uuid4().hex[:8]}")
    with suppress(FileNotFoundError):
        _log_of(path).replace(_log_of(aside))
    path.replace(aside)
    found = [one for one in path.parent.glob(f"{path.stem}.damaged-????????") if one != aside]
    for old in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True)[MOST_DAMAGED - 1 :]:
        old.unlink(missing_ok=True)
        _log_of(old).unlink(missing_ok=True)
    return aside


def salvaged(path: Path) -> Iterator[Row]:
    """Rows in the order of their numbers, as far as the file lets itself be read.

    From the front until a page cannot be read; what lies behind it is looked for number by number.
    """
    with closing(sqlite3.connect(path)) as db:
        last = 0
        try:
            for values in db.execute(f"{_ALL} ORDER BY seq"):
                last = values[0]
                with suppress(Damaged):
                    yield checked(values)
        except sqlite3.DatabaseError:
            yield from _behind(db, last)


def _behind(db: sqlite3.Connection, last: int) -> Iterator[Row]:
    for seq in range(last + 1, min(_highest(db, last), last + MOST_LOOKED_FOR) + 1):
        with suppress(sqlite3.DatabaseError):
            values = db.execute(f"{_ALL} WHERE seq = ?", (seq,)).fetchone()
            if values:
                yield checked(values)


def _highest(db: sqlite3.Connection, otherwise: int) -> int:
    for query in (
        "SELECT max(seq) FROM sqlite_sequence WHERE name = 'snapshot'",
        "SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 1",
    ):
        with suppress(sqlite3.DatabaseError):
            (highest,) = db.execute(query).fetchone() or (None,)
            if highest:
                return int(highest)
    return otherwise


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
