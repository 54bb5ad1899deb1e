"""The spool's file: SQLite, one transaction a change, durable when a method returns. Its errors are sqlite3's.

WAL and synchronous=FULL: each commit is synced into the log before it is answered, a torn end of the log is told by its
checksums, and SQLite syncs the directory when it makes the log. Rows carry a checksum of their own: SQLite has none for
its pages, and a flipped bit must not become a number that somebody believes.
"""

import sqlite3
import zlib
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.tallies import SpoolState

_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, taken_at_ms INTEGER NOT NULL, body BLOB NOT NULL, refused INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_LATER_COLUMNS = ("up_ms", "crc")
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})


class Damaged(sqlite3.DatabaseError):
    """The file, or a part of it, is not what was written."""


@dataclass(frozen=True, slots=True)
class Row:
    """One snapshot as it is kept."""

    seq: int
    taken_at_ms: int
    """By the host's clock, which may jump."""
    up_ms: int | None
    """The same on the monotonic clock of this boot; None for a snapshot of an earlier boot."""
    body: bytes
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Past these the oldest go."""

    max_bytes: int
    max_age_ms: int


@dataclass(frozen=True, slots=True)
class Now:
    """One instant on both clocks."""

    wall_ms: int
    up_ms: int


class Gone(NamedTuple):
    """What was deleted."""

    rows: int = 0
    bytes: int = 0
    waiting: int = 0
    """Of the rows those that were still to be sent."""

    def and_(self, other: "Gone") -> "Gone":
        """Both together."""
        return Gone(self.rows + other.rows, self.bytes + other.bytes, self.waiting + other.waiting)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, so that another one has to be begun; else the disk is, or its owner."""
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, Damaged) or (code & 0xFF) in _DAMAGE or code in _UNREADABLE


class SpoolFile:
    """The file, held by this process alone. One thread at a time."""

    def __init__(self, path: Path, bounds: Bounds, boot_id: str) -> None:
        """Open or create it, `boot_id` being the kernel's."""
        self._bounds = bounds
        self._db = _connect(path)
        try:
            self._facts: dict[str, str] = dict(self._db.execute("SELECT name, value FROM fact"))
            if self.fact("boot") != boot_id:
                with self._db:
                    self._db.execute("UPDATE snapshot SET up_ms = NULL")
                    self._write_facts({"boot": boot_id})
                self._facts["boot"] = boot_id
            self.bytes = self._one("SELECT coalesce(sum(length(body)), 0) FROM snapshot")
            self.waiting = self._one("SELECT count(*) FROM snapshot WHERE NOT refused")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give it free."""
        with suppress(sqlite3.Error):
            self._db.close()

    @property
    def last_seq(self) -> int:
        """The highest number it ever held."""
        return self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'snapshot'")

    def fact(self, name: str) -> str | None:
        """What was written down under this name: `stream`, `boot`, `dropped`."""
        return self._facts.get(name)

    @property
    def dropped(self) -> int:
        """How many it ever had to let go."""
        return int(self.fact("dropped") or 0)

    def add(self, rows: Iterable[Row], stream: str, now: Now, *, lost: int = 0, taken: Iterable[int] = ()) -> int:
        """Keep the rows, and the stream they belong to; forget those `taken`, and drop past the bounds.

        `lost` were dropped elsewhere. Answers how many rows it dropped.
        """
        added, waiting, facts = 0, 0, {"stream": stream}
        with self._db:
            forgotten = self._delete_all(taken)
            for row in rows:
                values = (row.seq, row.taken_at_ms, row.body, row.refused, row.up_ms, zlib.crc32(row.body))
                self._db.execute(f"INSERT INTO snapshot (seq, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - a constant
                added += len(row.body)
                waiting += not row.refused
            dropped = self._drop_past_bounds(self.bytes + added - forgotten.bytes, now)
            if dropped.rows + lost:
                facts["dropped"] = str(self.dropped + dropped.rows + lost)
            self._write_facts(facts)
        self._facts |= facts
        self.bytes += added - forgotten.bytes - dropped.bytes
        self.waiting += waiting - forgotten.waiting - dropped.waiting
        return dropped.rows

    def newest(self, but: Container[int]) -> Row | None:
        """The newest row to send, those in `but` passed over. Raises Damaged where its checksum does not hold."""
        for (seq,) in self._db.execute("SELECT seq FROM snapshot WHERE NOT refused ORDER BY seq DESC"):
            if seq not in but:
                row = self._db.execute(f"SELECT seq, {_COLUMNS} FROM snapshot WHERE seq = ?", (seq,)).fetchone()  # noqa: S608 - a constant
                return checked(row)
        return None

    def forget(self, seqs: Iterable[int]) -> int:
        """Delete these; answers how many there were."""
        with self._db:
            gone = self._delete_all(seqs)
        self.bytes -= gone.bytes
        self.waiting -= gone.waiting
        return gone.rows

    def refuse(self, seq: int) -> int:
        """Keep it for an operator until it ages out, but do not offer it again."""
        with self._db:
            count = self._db.execute("UPDATE snapshot SET refused = 1 WHERE seq = ? AND NOT refused", (seq,)).rowcount
        self.waiting -= count
        return count

    def state(self) -> SpoolState:
        """How full it is."""
        snapshots, refused, oldest = self._db.execute(
            "SELECT count(*), coalesce(sum(refused), 0), min(taken_at_ms) FROM snapshot"
        ).fetchone()
        return SpoolState(snapshots, self.bytes, self.dropped, refused, oldest)

    def _drop_past_bounds(self, size: int, now: Now) -> "Gone":
        """Within a boot age is monotonic: a clock set right must not empty the spool."""
        age_ms = self._bounds.max_age_ms
        is_old = "CASE WHEN up_ms IS NULL THEN taken_at_ms < ? ELSE up_ms < ? END"
        gone = self._delete(is_old, now.wall_ms - age_ms, now.up_ms - age_ms)
        while size - gone.bytes > self._bounds.max_bytes:
            gone = gone.and_(self._delete("seq = (SELECT min(seq) FROM snapshot)"))
        return gone

    def _delete_all(self, seqs: Iterable[int]) -> "Gone":
        gone = Gone()
        for seq in seqs:
            gone = gone.and_(self._delete("seq = ?", seq))
        return gone

    def _delete(self, condition: str, *values: int) -> "Gone":
        query = f"DELETE FROM snapshot WHERE {condition} RETURNING length(body), refused"  # noqa: S608 - conditions are written above
        rows = self._db.execute(query, values).fetchall()
        return Gone(len(rows), sum(size for size, _ in rows), sum(not refused for _, refused in rows))

    def _write_facts(self, facts: Mapping[str, str]) -> None:
        """Those that are news: each would be two more pages of the log."""
        for name, value in facts.items() - self._facts.items():
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _one(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


_COLUMNS = "taken_at_ms, body, refused, up_ms, crc"


def checked(values: tuple[int, int, bytes, int, int | None, int | None]) -> Row:
    """A row as it was read. Raises Damaged where its checksum does not hold (None: written before there was one)."""
    seq, taken_at_ms, body, refused, up_ms, crc = values
    if crc is not None and (not isinstance(body, bytes) or zlib.crc32(body) != crc):
        raise Damaged(f"the checksum of snapshot {seq} does not hold")
    return Row(seq, taken_at_ms, up_ms, body, bool(refused))


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # One agent a spool; a second one is told so.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
        known = {row[1] for row in db.execute("PRAGMA table_info(snapshot)")}
        for column in _LATER_COLUMNS:
            if column not in known:
                db.execute(f"ALTER TABLE snapshot ADD COLUMN {column} INTEGER")
        _check(db)
    except BaseException:
        with suppress(sqlite3.Error):
            db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check").fetchone() != ("ok",):
        raise Damaged("the file is damaged")
