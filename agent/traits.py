"""How this kernel's port search behaves where versions differ: tried in a namespace made for it, not looked up.

What cannot be tried (no CAP_SYS_ADMIN for a namespace, no CAP_NET_ADMIN for TCP_REPAIR) stays unknown, and accounts
then admit both. Distributions carry changes back and forth; a version number would lie.
"""

import ctypes
import fcntl
import socket
import struct
from functools import cache
from typing import NamedTuple

from agent.binders import IDLE
from agent.netlink.records import sockets
from agent.netlink.request import both_families
from agent.netlink.sock_diag import SockDiag
from agent.netns.entering import travelling
from agent.probe import IP_LOCAL_PORT_RANGE, TCP_REPAIR, probe
from shared.errors import PortgaugeError

_CLONE_NEWNET = 0x4000_0000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_ANOTHER_NOBODY = ("127.255.255.252", 9)
"""Not where probes go: they must find the tuple free."""
_PORT = 40_001
"""Any port of the default range that is not its first."""


class Traits(NamedTuple):
    """None: it could not be tried here."""

    shows_idle_binds: bool | None = None
    """sock_diag lists sockets that are bound and not connected (6.8 and later)."""
    frees_ports_on_release: bool | None = None
    """A port is lent again once its explicit binder is gone, though others stay on it (6.18 and later)."""
    scans_own_range_whole: bool | None = None
    """An application's IP_LOCAL_PORT_RANGE of odd size loses no port (6.8 and later)."""


@cache
def try_out() -> Traits:
    """Try this kernel once, in a thread and a namespace that end with the trial."""
    return travelling(_in_a_namespace_of_our_own)


def _in_a_namespace_of_our_own() -> Traits:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        return Traits()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("=16sH14x", b"lo", _IFF_UP))
        shows = _shows_idle_binds()
        return Traits(shows, _frees_ports_on_release(), _scans_own_range_whole())
    except (PortgaugeError, OSError):
        return Traits()


def _shows_idle_binds() -> bool:
    with socket.socket() as bound, SockDiag() as diag:
        bound.bind(("127.0.0.1", _PORT))
        return any(one.local_port == _PORT for buffer in diag.dump(both_families(IDLE)) for one in sockets(buffer))


def _frees_ports_on_release() -> bool:
    """A plain connection stays on the port while an explicit binder comes and goes."""
    with _connected(_PORT, _PORT):
        with socket.socket() as binder:
            binder.bind(("127.0.0.9", _PORT))
        return probe([_PORT])[_PORT]


def _scans_own_range_whole() -> bool:
    """Three connections from a range of three ports."""
    made: list[socket.socket] = []
    try:
        for _ in range(3):
            made.append(_connected(_PORT, _PORT + 2))  # noqa: PERF401 - what was made before a failure is to be closed
    except OSError:
        return False
    finally:
        for one in made:
            one.close()
    return True


def _connected(low: int, high: int) -> socket.socket:
    """A connection to nobody from a port of low..high, without a packet. Raises OSError where there is none left."""
    made = socket.socket()
    try:
        made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", low | high << 16))
        made.connect(_ANOTHER_NOBODY)
    except OSError:
        made.close()
        raise
    return made
