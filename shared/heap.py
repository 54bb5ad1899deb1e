"""One heap for all threads of a process: memory that one gives back is there for the next."""

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""mallopt(3)."""


def share_one_heap() -> None:
    """Keep glibc from giving each thread a heap of its own: they take turns anyway, and each heap keeps what it got.

    To be called before there are threads. Other C libraries have no such thing.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
