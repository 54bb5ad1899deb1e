"""Snapshots that the collector has not acknowledged: durable when `put` returns, bounded in bytes and age.

On disk (agent.spool_file) as long as the disk takes them, in memory (agent.spool_memory) while it does not, and back on
disk as soon as it does again. A damaged file is set aside and what can be read of it goes on (agent.salvage). Each of
these is said, and shown in `state`.
"""

import errno
import logging
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from agent.salvage import salvaged, set_aside
from agent.spool_file import Bounds, Now, Row, SpoolFile, is_damage
from agent.spool_memory import SpoolMemory
from agent.tallies import SpoolState
from shared import clock
from shared.errors import PortgaugeError
from shared.logs import fields

log = logging.getLogger(__name__)

FILE = "spool.db"
MEMORY_BYTES = 4 * 1024 * 1024
"""What may wait in memory while the disk refuses: an hour of snapshots of a large host, a tenth of the agent's RSS."""
_ONLY_FOR_NOW = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
_NO_AGE = Now(0, 0)
T = TypeVar("T")


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
    """The spool of one agent. Methods block on the disk and may be called from any thread."""

    def __init__(self, directory: Path, *, boot_id: str, max_bytes: int, max_age_ms: int) -> None:
        """Open or create it. Raises SpoolUnusable where it can never work; a full disk is lived with."""
        self._path, self._boot_id = directory / FILE, boot_id
        self._bounds = Bounds(max_bytes, max_age_ms)
        self._lock = threading.Lock()
        self._memory = SpoolMemory(min(MEMORY_BYTES, max_bytes))
        self._file: SpoolFile | None = None
        self._done: set[int] = set()
        """Taken, refused or unreadable, but not deleted yet: `taken_at_once` leaves that to the next `put`, and a full
        disk does not even let go."""
        self._latest: Spooled | None = None
        """What the latest `put` kept, until its fate is settled."""
        self._trouble, self._damaged, self._salvaged = "", 0, 0
        self.stream_id = self._new_stream()
        """What the sequence numbers belong to: `put` calls `encode` under the one that holds then."""
        self._last_seq, self._is_on_disk = 0, False
        try:
            self._open()
        except (OSError, sqlite3.Error) as error:
            if not _is_for_now(error, self._path):
                raise SpoolUnusable(self._path, str(error)) from error
        if self._disk(self._go_on_with, may_open=True) is None:
            self._is_on_disk = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._done:
                self._let_go()
            self._close()

    def put(self, encode: Callable[[int], bytes], taken_at_ms: int) -> int:
        """Keep the snapshot that `encode` makes of its sequence number, durably; drop the oldest past the bounds.

        Answers the sequence number. Where the disk refuses, it waits in memory.
        """
        with self._lock:
            now = Now(taken_at_ms, round(clock.monotonic_s() * 1000))
            row = self._row(encode, now)
            if not self._store(row, now):
                if self._is_on_disk:
                    # Under another name: numbers that only memory knows of would be given twice if we died now.
                    self._is_on_disk, self.stream_id = False, self._new_stream()
                    row = self._row(encode, now)
                self._memory.add(row)
            self._last_seq, self._latest = row.seq, Spooled(row.seq, row.body)
            return row.seq

    def newest(self) -> Spooled | None:
        """The newest snapshot to send, if any: after an outage, now matters more than then."""
        with self._lock:
            row = self._memory.newest() or self._disk(lambda file: file.newest(self._done))
        return Spooled(row.seq, row.body) if row else None

    @property
    def latest(self) -> Spooled | None:
        """What the latest `put` kept, unless its fate is settled already: the newest, without waiting for the disk."""
        return self._latest

    def taken_at_once(self, seq: int) -> bool:
        """The collector has it, and nothing else waits: it is forgotten with the next `put`, in one transaction.

        Never blocks. False where that is not so, and `taken` has to be called.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            file, is_latest = self._file, self._latest is not None and self._latest.seq == seq
            if file is None or not is_latest or self._memory.rows or file.waiting - len(self._done) != 1:
                return False
            self._done.add(seq)
            self._latest = None
            return True
        finally:
            self._lock.release()

    def taken(self, seq: int) -> None:
        """The collector has it: forget it."""
        with self._lock:
            self._settle(seq)
            if not self._memory.forget(seq):
                self._done.add(seq)
                self._let_go()

    def refused(self, seq: int) -> None:
        """The collector will never take it: keep it for an operator until it ages out, but do not send it again."""
        with self._lock:
            self._settle(seq)
            if not self._memory.refuse(seq) and self._disk(lambda file: file.refuse(seq)) is None:
                self._done.add(seq)

    @property
    def dropped(self) -> int:
        """How many snapshots it had to let go since it was made, as in `state`; without asking the disk."""
        with self._lock:
            return self._dropped() + self._memory.dropped

    def state(self) -> SpoolState:
        """How full it is, and what befell it."""
        with self._lock:
            state = self._disk(SpoolFile.state) or SpoolState(0, 0, 0, 0)
            memory = self._memory
            on_disk = state.snapshots - len(self._done)
            if not on_disk:  # What is left there has only to be deleted.
                state = replace(state, bytes=0, oldest_at_ms=None)
            oldest = [row.taken_at_ms for row in memory.rows.values()]
            oldest += [] if state.oldest_at_ms is None else [state.oldest_at_ms]
            return replace(
                state,
                snapshots=on_disk + len(memory.rows),
                bytes=state.bytes + memory.bytes,
                dropped=state.dropped + memory.dropped,
                refused=state.refused + sum(row.refused for row in memory.rows.values()),
                oldest_at_ms=min(oldest, default=None),
                in_memory=len(memory.rows),
                damaged=self._damaged,
                salvaged=self._salvaged,
                trouble=self._trouble,
            )

    def _settle(self, seq: int) -> None:
        if self._latest and self._latest.seq == seq:
            self._latest = None

    def _row(self, encode: Callable[[int], bytes], now: Now) -> Row:
        # A file that could not be opened may hold any number: those of today are above what it can have counted to.
        seq = (self._last_seq or (0 if self._file else now.wall_ms)) + 1
        return Row(seq, now.wall_ms, now.up_ms, encode(seq))

    def _store(self, row: Row, now: Now) -> bool:
        """Write it down, and with it what waits in memory."""
        rows, lost = [*self._memory.rows.values(), row], self._memory.dropped
        done = self._disk(
            lambda file: file.add(rows, self.stream_id, now, lost=lost, taken=self._done),
            may_open=not self._is_on_disk,
        )
        if done is None:
            return False
        self._done.clear()
        if not self._is_on_disk:
            facts = fields(spool=self._path, from_memory=len(rows) - 1, dropped=lost)
            log.info("the spool is on disk again", extra=facts)
        self._memory.clear()
        self._is_on_disk, self._trouble = True, ""
        return True

    def _let_go(self) -> None:
        if self._disk(lambda file: file.forget(self._done)) is not None:
            self._done.clear()

    def _disk(self, work: Callable[[SpoolFile], T], *, may_open: bool = False) -> T | None:
        """What `work` answers; None where the disk does not serve. A damaged file is mended, once, and asked again."""
        for may_mend in (True, False):
            try:
                if self._file is None and may_open:
                    self._open()
                return work(self._file) if self._file else None
            except (sqlite3.Error, OSError) as error:
                if may_mend and isinstance(error, sqlite3.Error) and is_damage(error):
                    self._mend(error)
                    continue
                self._say(error)
        return None

    def _say(self, error: sqlite3.Error | OSError) -> None:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_FULL:
            self._close()  # Perhaps it was moved away, or its file system made read-only: open it anew.
        if str(error) != self._trouble:
            log.error(
                "the spool's disk refuses; snapshots wait in memory", extra=fields(spool=self._path, why=str(error))
            )
        self._trouble = str(error)

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = SpoolFile(self._path, self._bounds, self._boot_id)

    def _go_on_with(self, file: SpoolFile) -> int:
        """Continue the numbers of an earlier run in this boot."""
        stored = file.fact("stream")
        if stored is not None and stored.startswith(self._boot_id):
            self.stream_id = stored
        self._last_seq, self._is_on_disk = file.last_seq, True
        return self._last_seq

    def _mend(self, error: sqlite3.Error) -> None:
        """Begin a new file with what can be read of the damaged one, as a stream of its own: numbers may be missing."""
        lost = self._dropped()
        try:
            aside = set_aside(self._path)
            self._damaged += 1
            self._close()
            self._file = SpoolFile(self._path, self._bounds, self._boot_id)
            self.stream_id = self._new_stream()
            rows = (replace(row, up_ms=None) for row in salvaged(aside) if row.seq not in self._done)
            self._file.add(rows, self.stream_id, _NO_AGE, lost=lost)
            count = self._file.state().snapshots
        except (sqlite3.Error, OSError) as refusal:
            self._say(refusal)
            return
        self._salvaged += count
        self._last_seq = max(self._last_seq, self._file.last_seq)
        log.error(
            "the spool was damaged; what could be read goes on",
            extra=fields(why=str(error), set_aside=aside, snapshots=count),
        )

    def _dropped(self) -> int:
        return self._file.dropped if self._file else 0

    def _close(self) -> None:
        if self._file:
            self._file.close()
        self._file = None

    def _new_stream(self) -> str:
        return f"{self._boot_id}.{uuid.uuid4().hex[:8]}"


def _is_for_now(error: OSError | sqlite3.Error, path: Path) -> bool:
    """Whether it is the disk's fault, or damage; else it is a mistake in the configuration, to be told at once."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if is_damage(error) or (error.sqlite_errorcode & 0xFF) in _ONLY_FOR_NOW:
        return True
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite says "unable to open" of a full disk too.
    except OSError as why:
        return why.errno in _NO_ROOM
    return False
