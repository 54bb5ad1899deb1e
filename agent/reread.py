"""Files of /proc that are read each second: kept open, and read from their beginning again each time. The edge.

Opening one takes ten times what reading it does. Only for files of the namespace that the agent itself lives in: an
open one would keep another one alive when it has ended.
"""

import os
import weakref

USUAL_BYTES = 8192
MOST_BYTES = 512 * 1024
"""Every second port reserved one by one is 190 KB of text."""


class Reread:
    """One file, opened with the first read by whoever reads then, and closed when nobody holds this any more."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def read(self) -> bytes:
        """What it holds now. Raises OSError."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._file)
        return whole(self._file)

    def holds(self, text: bytes) -> bool:
        """Whether it holds what was read before; of one that is longer than usual that is not said."""
        try:
            return self._file is not None and os.pread(self._file, USUAL_BYTES, 0) == text
        except OSError:
            return False


def whole(file: int) -> bytes:
    """All of a file of /proc. Raises OSError.

    The kernel fills one read() and answers the next with nothing, so a sysctl longer than the buffer would lose its end
    without a word: what fills the buffer is read again with room for all there can be.
    """
    data = os.pread(file, USUAL_BYTES, 0)
    return data if len(data) < USUAL_BYTES else os.pread(file, MOST_BYTES, 0)
