"""One heap for all threads of a process: memory that one gives back is there for the next."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""mallopt(3)."""
LARGE_BYTES, KEPT_BYTES = 2**20, 8 * 2**20


def share_one_heap() -> None:
    """Keep glibc from giving each thread a heap of its own: they take turns anyway, and each heap keeps what it got.

    To be called before there are threads. Other C libraries have no such thing.
    """
    _tune(M_ARENA_MAX, 1)


def keep_what_is_given_back() -> None:
    """Keep up to KEPT_BYTES of it, blocks below LARGE_BYTES among them, for the next who asks.

    Who makes arrays of some hundred kilobytes all the time would have the kernel clear pages for each of them, which
    takes longer than to fill them.
    """
    _tune(M_MMAP_THRESHOLD, LARGE_BYTES)
    _tune(M_TRIM_THRESHOLD, KEPT_BYTES)


def _tune(parameter: int, value: int) -> None:
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(parameter, value)
