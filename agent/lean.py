"""What makes the agent small: aiohttp imported for 2 MB and 30 ms less, and one heap for all threads, 1.4 MB less.

At its import aiohttp makes TLS contexts and reads the certificates of all the system's authorities for them, be TLS
ever used or not. Here it makes them without; who speaks TLS gives a context of its own (agent.tls).
"""

import ctypes
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

M_ARENA_MAX = -8
"""mallopt(3)."""


def share_one_heap() -> None:
    """Keep glibc from giving each thread a heap of its own: they take turns anyway, and each heap keeps what it got.

    To be called before there are threads. Other C libraries have no such thing.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


@contextmanager
def _no_certificates() -> Iterator[None]:
    """`ssl.SSLContext` inherits the method it gets here in between."""
    ssl.SSLContext.set_default_verify_paths = _read_none  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths


def _read_none(_context: ssl.SSLContext) -> None:
    """In place of reading the system's certificates."""


with _no_certificates():
    import aiohttp


__all__ = ["aiohttp", "share_one_heap"]
