"""Network namespaces for tests, made without names and so without leftovers.

A thread leaves for a namespace of its own (unshare); the sockets it opens and the processes it starts live there. The
kernel frees the namespace when the last of them is gone: there is nothing to delete, even after a crash.
Works as root, and as an ordinary user inside `unshare --user --map-root-user --mount --net`.
"""

import contextlib
import ctypes
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CLONE_NEWNET = 0x4000_0000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
PATIENCE_S = 60
"""How long a program may take to answer or to end: these tests share their machine with others."""
OWN_NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount", "--net")


class Netns:
    """One network namespace, lo up, and the thread that lives in it. Closing ends the processes it started."""

    def __init__(self) -> None:
        """Raise OSError where the kernel gives us no namespace."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="netns")
        self._processes: list[subprocess.Popen[Any]] = []
        try:
            self.run(_leave_for_a_fresh_one)
            self.thread_id = self.run(threading.get_native_id)
        except OSError:
            self._thread.shutdown()
            raise

    def close(self) -> None:
        """End what still runs in it, and the thread."""
        end(self._processes)
        self._thread.shutdown()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` inside and hand back its answer. Its sockets stay in there, whoever uses them later.

        Look into /proc/thread-self/net, not /proc/net: the latter is the main thread's.
        """
        return self._thread.submit(function, *args, **kwargs).result()

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process inside; it is ended with the namespace at the latest."""
        process = self.run(functools.partial(subprocess.Popen, command, **options))
        self._processes.append(process)
        return process

    def check_output(self, command: Sequence[str], **options: Any) -> str:
        """What a program says that runs inside; raises CalledProcessError when it fails."""
        options = {"text": True, "timeout": PATIENCE_S, **options}
        return str(self.run(functools.partial(subprocess.check_output, command, **options)))

    def set_sysctl(self, name: str, value: str) -> None:
        """Write one sysctl of the namespace: `set_sysctl("ipv4/ip_local_port_range", "40000 40299")`."""
        self.run((Path("/proc/sys/net") / name).write_text, value)

    def join(self, other: "Netns", own_address: str, other_address: str, device: str = "cable") -> None:
        """Lay a cable to another namespace; addresses carry their prefix length, `10.0.0.1/24`."""
        peer = ["peer", "name", device, "netns", str(other.thread_id)]
        self.check_output(["ip", "link", "add", device, "type", "veth", *peer])
        for end_, address in ((self, own_address), (other, other_address)):
            end_.check_output(["ip", "address", "add", address, "dev", device])
            end_.check_output(["ip", "link", "set", device, "up"])


@contextlib.contextmanager
def fresh_netns() -> Iterator[Netns]:
    """A namespace for as long as the block is open."""
    netns = Netns()
    try:
        yield netns
    finally:
        netns.close()


@functools.cache
def why_none() -> str | None:
    """Why no namespace can be made here, as one line for a person; None where they can be made."""
    try:
        with fresh_netns():
            return None
    except OSError as error:
        return f"no network namespaces here ({error.strerror}): run as root, or through {' '.join(OWN_NAMESPACES)}"


def become_root_of_own_namespaces() -> None:
    """Start this program anew inside namespaces where an ordinary user is root; root stays where it is."""
    if os.geteuid() == 0:
        return
    trial = subprocess.run([*OWN_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if trial.returncode:
        sys.exit(f"this needs root, or a kernel that lets you have namespaces: {trial.stderr.strip()}")
    os.execvp(OWN_NAMESPACES[0], [*OWN_NAMESPACES, sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell wanted


def end(processes: Sequence[subprocess.Popen[Any]]) -> None:
    """Ask each to end, make sure of it, and close our ends of its pipes."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _leave_for_a_fresh_one() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", IFF_UP))
