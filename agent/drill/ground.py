"""A throwaway network namespace with one pool in it, in a child process: it goes when the child goes. The edge.

The child is forked before there are threads, talks in lines of JSON and dies with us (PR_SET_PDEATHSIG), so that
nothing is left behind whatever ends the drill.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from agent.netns.entering import own_inode
from shared.clock import monotonic_s, wall_ms
from shared.errors import PortgaugeError

FIRST_PORT: Final = 40_000
LISTENER_PORT: Final = 9_001
MOST_PORTS: Final = 20_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_PR_SET_PDEATHSIG: Final = 1
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_OTHER_FILES: Final = 64
_libc = ctypes.CDLL(None, use_errno=True)


class NoGround(PortgaugeError):
    """The namespace or its pool cannot be made. Says what is missing."""


class Ground:
    """The child, from the parent's side. A context manager: at its end the child and its namespace are gone."""

    def __init__(self, address: str, ports: int) -> None:
        """Raise NoGround where no namespace can be had."""
        real = own_inode()
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _live(theirs, parent, real, address, ports)
        theirs.close()
        self._line, self._rest = ours, b""
        try:
            self._until_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _until_ready(self) -> None:
        while not (told := self.events(1.0)):
            pass
        if "error" in told[0]:
            raise NoGround(str(told[0]["error"]))

    def fill(self, counts: Sequence[int], rate: float) -> None:
        """Begin to take more ports, `rate` a second, up to the last of these counts; each is an event when reached."""
        self._line.sendall(json.dumps({"counts": list(counts), "rate": rate}).encode() + b"\n")

    def drain(self) -> None:
        """Give all ports back, without a TIME_WAIT."""
        self._line.sendall(b'{"counts": []}\n')

    def events(self, within_s: float) -> list[dict[str, Any]]:
        """What the child told since, waited for up to `within_s`. Raises NoGround where it failed or died."""
        if not select.select([self._line], [], [], within_s)[0]:
            return []
        more = self._line.recv(65_536)
        if not more:
            raise NoGround("the process in the namespace ended")
        *lines, self._rest = (self._rest + more).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """End the child, and with it the namespace."""
        self._line.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _live(line: socket.socket, parent: int, real: int, address: str, ports: int) -> None:
    """The child's life; never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            _make(real, ports)
            _spend(line, address)
    except BaseException as error:  # noqa: BLE001 - told to the parent, whatever it is
        with suppress(OSError):
            _tell(line, error=str(error))
    finally:
        os._exit(0)


def _tell(line: socket.socket, **event: Any) -> None:
    line.sendall(json.dumps(event).encode() + b"\n")


def _make(real: int, ports: int) -> None:
    """A fresh namespace, lo up, its range narrowed. Nothing is written before we know that we left."""
    _leave()
    refuse_real(own_inode(), real)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", _IFF_UP))
    try:
        RANGE.write_text(f"{FIRST_PORT} {FIRST_PORT + ports - 1}")
    except OSError as error:
        raise NoGround(
            f"{RANGE} cannot be written: {error.strerror} (in a container /proc/sys is read-only)"
        ) from error
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * ports + _OTHER_FILES:
        raise NoGround(f"{ports} ports need {2 * ports + _OTHER_FILES} open files, {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * ports + _OTHER_FILES, hard))


def refuse_real(inode: int, real: int) -> None:
    """Raise NoGround in the namespace that the command was started in, by its inode."""
    if inode == real:
        raise NoGround("this is the real network namespace: nothing was touched")


def _leave() -> None:
    if not _libc.unshare(_CLONE_NEWNET):
        return
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        why = errno.errorcode.get(ctypes.get_errno(), "")
        raise NoGround(f"no network namespace can be made ({why}): it takes CAP_SYS_ADMIN, or user namespaces")
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"0 {user} 1")
    (own / "gid_map").write_text(f"0 {group} 1")


def _spend(line: socket.socket, address: str) -> None:
    """Do as ordered until the parent goes."""
    held: list[socket.socket] = []
    with socket.create_server((address, LISTENER_PORT), backlog=16) as listener, line.makefile("rb") as orders:
        _tell(line, ready=True)
        for order in map(json.loads, orders):
            if order["counts"]:
                _fill(line, listener, held, order)
            else:
                _drain(held)
                _tell(line, held=0, at_ms=wall_ms())


def _fill(line: socket.socket, listener: socket.socket, held: list[socket.socket], order: dict[str, Any]) -> None:
    before, begin_s = len(held) // 2, monotonic_s()
    for count in range(before + 1, order["counts"][-1] + 1):
        time.sleep(max(0.0, begin_s + (count - before) / order["rate"] - monotonic_s()))
        held.append(socket.create_connection(listener.getsockname()))
        if count in order["counts"]:
            _tell(line, held=count, at_ms=wall_ms())
        held.append(listener.accept()[0])


def _drain(held: list[socket.socket]) -> None:
    """By a reset: an ordinary close would keep the ports in TIME_WAIT."""
    while held:
        with held.pop() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
