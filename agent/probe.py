"""Asking the kernel whether a port's bind bucket lets connect() in, without sending a packet. The edge.

A socket in TCP_REPAIR mode connects without a SYN; IP_LOCAL_PORT_RANGE narrows its choice to one port; the destination
is one that nobody uses, so no pool loses a port and no TIME_WAIT is recycled. Success: the bucket is open.
EADDRNOTAVAIL: blocked. Needs CAP_NET_ADMIN, kernel 6.3 and lo up. Side effects: for some microseconds the port is held,
in which an application binding exactly that port would get EADDRINUSE; and where TCP Fast Open is switched off for
clients (tcp_fastopen), Tcp.EstabResets counts one a port.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress

from shared.addresses import V4_BYTES, format_ip
from shared.errors import PortgaugeError

TCP_REPAIR = 19
TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE = 30, 34
IP_LOCAL_PORT_RANGE = 51
SO_BINDTOIFINDEX = 62
NOBODY = ("127.255.255.253", 9)
_RANGE = struct.Struct("=I")
_NOWHERE = bytes(16)
"""A sockaddr of AF_UNSPEC: to connect there is to disconnect, which Python has no call for."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.connect.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_REASONS = {
    errno.EPERM: "probing needs CAP_NET_ADMIN",
    errno.ENOPROTOOPT: "probing needs kernel 6.3 (IP_LOCAL_PORT_RANGE)",
    errno.ENETUNREACH: "probing needs the loopback device up (ip link set lo up)",
}


class ProbeUnavailable(PortgaugeError):
    """Buckets cannot be asked here; the message says what is missing."""

    def __init__(self, code: int) -> None:
        super().__init__(_REASONS.get(code, f"probing failed: {os.strerror(code)}"))
        self.code = code


def probe(ports: Iterable[int], *, towards: tuple[str, int] = NOBODY, ifindex: int = 0) -> dict[int, bool]:
    """Port → whether connect() may take it, for ports of the namespace's range that are not reserved.

    What it costs is in docs/performance.md. A VRF has buckets of its own: to ask for those, `ifindex` is one of its
    devices and `towards` an endpoint that it has a route to and nobody uses. Raises ProbeUnavailable on the first port
    where the kernel refuses the question.
    """
    found: dict[int, bool] = {}
    with socket.socket(socket.AF_INET6 if ":" in towards[0] else socket.AF_INET, socket.SOCK_STREAM) as asking:
        try:
            asking.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            _stop_before_established(asking)
            if ifindex:
                asking.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, ifindex)
            for port in ports:
                found[port] = _is_open(asking, port, towards)
        except OSError as error:
            raise ProbeUnavailable(error.errno or 0) from error
    return found


def _stop_before_established(asking: socket.socket) -> None:
    """With Fast Open connect() takes its port and waits for data (tcp_fastopen_defer_connect): a tenth less work."""
    with suppress(OSError):  # Switched off: the connection is then established, as TCP_REPAIR does without it.
        asking.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        asking.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)


def _is_open(asking: socket.socket, port: int, towards: tuple[str, int]) -> bool:
    """The same socket asks for every port: to make one anew takes the kernel longer than to connect it."""
    asking.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, _RANGE.pack(port | port << 16))
    code = asking.connect_ex(towards)
    if code == errno.EADDRNOTAVAIL:
        return False
    if code or _libc.connect(asking.fileno(), _NOWHERE, len(_NOWHERE)):
        code = code or ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return True


def try_to_bind(ports: Iterable[int], local: bytes, ifindex: int = 0) -> dict[int, bool]:
    """Port → whether bind() of that address (packed) to it succeeds now; nothing of those that cannot be tried.

    Only for ports whose bucket is blocked already: before 6.18 an open one would stay blocked after the trial, for as
    long as any connection is on it. For the microseconds it takes, the port is held.
    """
    found = {}
    family = socket.AF_INET if len(local) == V4_BYTES else socket.AF_INET6
    for port in ports:
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            try:
                if ifindex:
                    trying.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, ifindex)
                trying.bind((format_ip(local), port))
                found[port] = True
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    found[port] = False
    return found
