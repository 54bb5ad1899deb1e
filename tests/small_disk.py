"""A disk of a few hundred kilobytes: a tmpfs in a mount namespace that only one thread lives in.

Through /proc/PID/root it could be seen from outside, but SQLite resolves that link and so leaves the disk again.
"""

import ctypes
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNS = 0x0002_0000
MS_PRIVATE, MS_REC = 1 << 18, 1 << 14
SIZE = "256k"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """Where it is, and the thread that sees it."""

    place: Path
    _thread: ThreadPoolExecutor

    def run(self, story: Callable[[], None]) -> None:
        """Call it where the disk is. A decorator."""
        self._thread.submit(story).result()


@contextmanager
def small_disk(place: Path, size: str = SIZE) -> Iterator[SmallDisk]:
    """It is gone with the thread. Raises OSError where there can be none."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="small-disk") as thread:
        thread.submit(_mount, place, size).result()
        yield SmallDisk(place, thread)


@functools.cache
def why_none() -> str | None:
    """Why no such disk can be had here; None where it can."""
    try:
        with tempfile.TemporaryDirectory() as place, small_disk(Path(place)):
            return None
    except OSError as error:
        return f"no mount namespaces here ({error.strerror}): run as root, or through unshare --map-root-user --mount"


def _mount(place: Path, size: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={size}".encode()
    _require(libc.unshare(CLONE_NEWNS))
    _require(libc.mount(None, b"/", None, MS_PRIVATE | MS_REC, None))
    _require(libc.mount(b"small", bytes(place), b"tmpfs", 0, options))


def _require(failed: int) -> None:
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
