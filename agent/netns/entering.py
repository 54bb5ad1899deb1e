"""Going into a network namespace and coming to know it. The edge.

A thread enters and never returns: the way back may be barred (root of a user namespace that does not own the one we
came from), and a thread left behind in the wrong namespace would make every later number wrong. So whoever travels does
so in a thread that ends with the journey. Nothing stays open behind it: an open socket or file would keep a namespace,
and with it the cables of a container that is gone, alive.
"""

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from agent.netns.errors import EntryRefused, NamespaceGone

P = ParamSpec("P")
T = TypeVar("T")

HERE = "/proc/thread-self/ns/net"
ONLY_IN_THE_FIRST = Path("/proc/sys/net/core/netdev_max_backlog")
"""A sysctl that the kernel shows in its first network namespace alone (net/core/sysctl_net_core.c), to everybody."""
_CLONE_NEWNET = 0x4000_0000
_SO_NETNS_COOKIE = 71
_COOKIE_BYTES = 8
_libc = ctypes.CDLL(None, use_errno=True)


_journeys = threading.local()


def travelling(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread of its own, which starts in the caller's namespace and may end anywhere."""
    answers: list[T] = []
    faults: list[BaseException] = []

    took_s: list[float] = []

    def go() -> None:
        try:
            answers.append(function(*args, **kwargs))
        except BaseException as fault:  # noqa: BLE001 - raised where it is waited for
            faults.append(fault)
        took_s.append(cpu_s())

    traveller = threading.Thread(target=go, name="netns")
    traveller.start()
    traveller.join()
    _journeys.cpu_s = _travelled_s() + took_s[0]
    if faults:
        raise faults[0]
    return answers[0]


def cpu_s() -> float:
    """CPU seconds, user and system, that this thread took so far, with those of its journeys."""
    return time.thread_time() + _travelled_s()


def _travelled_s() -> float:
    so_far: float = getattr(_journeys, "cpu_s", 0.0)
    return so_far


def enter(ways: Sequence[str], inode: int) -> None:
    """Move this thread for good into the namespace with this inode, by the first of the files that still leads there.

    Raises NamespaceGone where none does, EntryRefused where the kernel says no.
    """
    refused: OSError | None = None
    for way in ways:
        try:
            file = os.open(way, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError as error:
            refused = error
        except OSError:
            continue  # The process ended, the name was taken away: perhaps another way still leads there.
        else:
            try:
                if os.fstat(file).st_ino == inode:
                    _set_namespace(file)
                    return
            finally:
                os.close(file)
    if refused:
        raise EntryRefused(refused.errno or 0)
    raise NamespaceGone(f"net:[{inode}]")


def _set_namespace(file: int) -> None:
    if _libc.setns(file, _CLONE_NEWNET):  # os.setns comes with Python 3.12.
        raise EntryRefused(ctypes.get_errno())


def own_inode() -> int:
    """The inode of the namespace this thread is in."""
    return Path(HERE).stat().st_ino


def is_first() -> bool:
    """Whether this thread is in the kernel's first network namespace."""
    return ONLY_IN_THE_FIRST.exists()


def cookie() -> int:
    """The kernel's number of this thread's namespace, never used twice since boot; 0 before Linux 5.14.

    Inodes are used again at once, so a namespace that came in place of one that ended looks the same but for this.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        try:
            told = any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, _COOKIE_BYTES)
        except OSError:
            return 0
    return int.from_bytes(told, "little")
