"""Snapshots that the collector has not acknowledged, on disk: durable when `put` returns, bounded in bytes and age.

SQLite rather than a file format of our own: its write-ahead log with synchronous=FULL survives kill -9 and power loss.
The sequence number is the row's key and AUTOINCREMENT never gives one twice, however the process ends.
"""

import sqlite3
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.tallies import SpoolState
from shared.errors import PortgaugeError

FILE = "spool.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, taken_at_ms INTEGER NOT NULL, body BLOB NOT NULL, refused INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class SpoolUnusable(PortgaugeError):
    """The spool's place cannot be written, or another agent has it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the spool {path} cannot be used: {why}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Spooled:
    """One snapshot waiting to be sent."""

    seq: int
    body: bytes


class Spool:
    """The spool of one agent. Methods block on the disk and may be called from any thread, one at a time."""

    def __init__(self, directory: Path, *, boot_id: str, max_bytes: int, max_age_ms: int) -> None:
        """Open or create it; a damaged file is set aside under another name. Raises SpoolUnusable."""
        self._path = directory / FILE
        self._max_bytes, self._max_age_ms = max_bytes, max_age_ms
        self._lock = threading.Lock()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = self._opened()
        except (OSError, sqlite3.Error) as error:
            raise SpoolUnusable(self._path, str(error)) from error
        self.stream_id = self._stream(boot_id)
        self._bytes: int = self._one("SELECT coalesce(sum(length(body)), 0) FROM snapshot")

    def _opened(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # Locked, read-only or full: not damage.
            self._path.replace(self._path.with_suffix(f".damaged-{uuid.uuid4().hex[:8]}"))
            return _connect(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._db.close()

    def put(self, encode: Callable[[int], bytes], taken_at_ms: int) -> int:
        """Keep the snapshot that `encode` makes of its sequence number, durably; drop the oldest past the bounds.

        Answers the sequence number. Raises SpoolUnusable where the disk refuses.
        """
        with self._lock:
            try:
                seq = 1 + self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'snapshot'")
                body = encode(seq)
                with self._db:
                    self._db.execute("INSERT INTO snapshot VALUES (?, ?, ?, 0)", (seq, taken_at_ms, body))
                    self._bytes += len(body)
                    self._drop_past_bounds(taken_at_ms)
            except sqlite3.Error as error:
                raise SpoolUnusable(self._path, str(error)) from error
        return seq

    def newest(self) -> Spooled | None:
        """The newest snapshot to send, if any: after an outage, now matters more than then."""
        with self._lock:
            row = self._db.execute(
                "SELECT seq, body FROM snapshot WHERE NOT refused ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return Spooled(*row) if row else None

    def taken(self, seq: int) -> None:
        """The collector has it: forget it."""
        with self._lock, self._db:
            self._forget("seq = ?", seq)

    def refused(self, seq: int) -> None:
        """The collector will never take it: keep it for an operator until it ages out, but do not send it again."""
        with self._lock, self._db:
            self._db.execute("UPDATE snapshot SET refused = 1 WHERE seq = ?", (seq,))

    def state(self) -> SpoolState:
        """How full it is."""
        with self._lock:
            snapshots = self._one("SELECT count(*) FROM snapshot")
            refused = self._one("SELECT count(*) FROM snapshot WHERE refused")
            (oldest,) = self._db.execute("SELECT min(taken_at_ms) FROM snapshot").fetchone()
            return SpoolState(snapshots, self._bytes, int(self._fact("dropped") or 0), refused, oldest)

    def _drop_past_bounds(self, now_ms: int) -> None:
        dropped = self._forget("taken_at_ms < ?", now_ms - self._max_age_ms)
        while self._bytes > self._max_bytes:
            dropped += self._forget("seq = (SELECT min(seq) FROM snapshot)")
        if dropped:
            self._set_fact("dropped", str(int(self._fact("dropped") or 0) + dropped))

    def _forget(self, condition: str, *values: int) -> int:
        sizes = self._db.execute(f"DELETE FROM snapshot WHERE {condition} RETURNING length(body)", values).fetchall()  # noqa: S608 - conditions are written above
        self._bytes -= sum(size for (size,) in sizes)
        return len(sizes)

    def _stream(self, boot_id: str) -> str:
        """What names this run of sequence numbers: the boot, and a part of its own for each new spool file."""
        stream = self._fact("stream")
        if stream is None or not stream.startswith(boot_id):
            stream = f"{boot_id}.{uuid.uuid4().hex[:8]}"
            with self._db:
                self._set_fact("stream", stream)
        return stream

    def _fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _set_fact(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _one(self, query: str) -> int:
        return int(self._db.execute(query).fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=1.0, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # One agent a spool; a second one is told so.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
        _check(db)
    except BaseException:
        with suppress(sqlite3.Error):
            db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("the file is damaged")
