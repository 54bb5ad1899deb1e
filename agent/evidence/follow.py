"""A log file as it grows: from its end at first, then line by line, across rotation and truncation. Bounded.

Rotation comes in two kinds: the file is renamed and another takes its name (logrotate's `create`), or it is copied and
cut (`copytruncate`). Of the renamed one the rest is still read. What is written and rotated away twice between two
looks is lost, and so is what a copy took before it was read: no reader can have that.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

MOST_BYTES: Final = 4 * 1024 * 1024
"""Read at one look. A log that grows faster is skipped forward, and that is counted."""
LONGEST_LINE_BYTES: Final = 64 * 1024


class Follower:
    """One path. `lines()` gives what was added since the last call; a path that is not there yet is no error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped_bytes = 0
        """Left unread because there was too much at once."""
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open(at_end=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
        self._file = None

    def lines(self) -> Iterator[str]:
        """Each complete line that came since. Raises OSError where the file is there and may not be read."""
        yield from self._read()
        if self._is_replaced():
            self.close()
            self._rest = b""
            self._open(at_end=False)
            yield from self._read()

    def _open(self, *, at_end: bool) -> None:
        try:
            self._file = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            return
        if at_end:
            self._file.seek(0, os.SEEK_END)

    def _is_replaced(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        size, position = os.fstat(self._file.fileno()).st_size, self._file.tell()
        if size < position:  # Cut short: what is there now is new.
            position, self._rest = 0, b""
        if size - position > MOST_BYTES:
            self.skipped_bytes += size - MOST_BYTES - position
            position, self._rest = size - MOST_BYTES, b""
        self._file.seek(position)
        *lines, rest = (self._rest + self._file.read(MOST_BYTES)).split(b"\n")
        self._rest = rest if len(rest) <= LONGEST_LINE_BYTES else b""
        for line in lines:
            yield line.decode("utf-8", "replace")
