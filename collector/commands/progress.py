"""How far a command is that takes long: a line on standard error that is written anew, where a person looks at it.

Into a pipe or a log goes nothing of it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.clock import monotonic_s

EVERY_S = 0.2
Words = Callable[[int], str]
"""How many are done, as a person reads it."""


@contextmanager
def progress(words: Words) -> Iterator[Callable[[int], None]]:
    """Gives what is to be called with how many more are done. The last line stays; of no news there is none."""
    if not sys.stderr.isatty():
        yield lambda _more: None
        return
    line = _Line(words)
    try:
        yield line.more
    finally:
        line.end()


class _Line:
    """A line that is written over. Without escape sequences: any terminal can go back to where a line begins."""

    def __init__(self, words: Words) -> None:
        self._words, self._done, self._width = words, 0, 0
        self._began_s = self._shown_s = monotonic_s()

    def more(self, count: int) -> None:
        self._done += count
        if monotonic_s() - self._shown_s >= EVERY_S:
            self._show(self._words(self._done))

    def end(self) -> None:
        """Say what it came to, and how long it took."""
        self._show(f"{self._words(self._done)} in {monotonic_s() - self._began_s:.1f} s")
        sys.stderr.write("\n")

    def _show(self, text: str) -> None:
        self._shown_s = monotonic_s()
        sys.stderr.write(f"\r{text.ljust(self._width)}")
        sys.stderr.flush()
        self._width = len(text)


def megabytes(size: int) -> str:
    """`12.3 MB`."""
    return f"{size / 1e6:,.1f} MB"


def lines(count: int) -> str:
    """`12,300 lines`."""
    return f"{count:,} lines"
