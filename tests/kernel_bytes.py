"""Bytes as the kernel would send them: socket records and the messages around them, for tests of the parser."""

import struct
from collections.abc import Iterable

from agent.netlink.records import AF_INET, AF_INET6, Socket
from shared.addresses import V4_BYTES, V4_MAPPED_PREFIX, V6_BYTES
from shared.tcp import State

SOCK_DIAG = 20
V4_FULL, V4_MINI, V6_FULL = 124, 96, 132
_ATTRIBUTES = {V4_FULL: 36, V4_MINI: 8, V6_FULL: 44}


def a_socket(
    *,
    local: bytes = bytes([10, 0, 0, 1]),
    local_port: int = 40_000,
    peer: bytes = bytes([10, 0, 0, 2]),
    peer_port: int = 80,
    state: State = State.ESTABLISHED,
    mapped: bool = False,
    cookie: int = 1,
    ifindex: int = 0,
    expires_ms: int = 0,
    sockopt: int | None = None,
) -> Socket:
    """One socket as the parser would give it."""
    family = AF_INET6 if mapped or len(local) == V6_BYTES else AF_INET
    timer = 3 if state is State.TIME_WAIT else 0
    return Socket(
        family, state, timer, local, local_port, peer, peer_port, ifindex, cookie, expires_ms, 0, 0, None, sockopt
    )


def record(socket: Socket, length: int | None = None, flags: int = 2) -> bytes:
    """The socket as one netlink message of `length` bytes (default: what the kernel gives such a socket)."""
    length = length or (V4_MINI if socket.state == State.TIME_WAIT else V4_FULL)
    body = struct.pack(
        "=BBBB2s2s16s16sIQIIIII",
        socket.family,
        socket.state,
        socket.timer,
        0,
        socket.local_port.to_bytes(2, "big"),
        socket.peer_port.to_bytes(2, "big"),
        _field(socket.family, socket.local),
        _field(socket.family, socket.peer),
        socket.ifindex,
        socket.cookie,
        socket.expires_ms,
        0,
        0,
        socket.uid,
        socket.inode,
    )
    padding = length - 16 - len(body)
    attribute = struct.pack("=HH", padding, 15) + bytes(padding - 4) if padding >= 4 else b""
    return message(SOCK_DIAG, body + attribute, flags)


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    """One netlink message."""
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def done(status: int = 0) -> bytes:
    """What ends a dump."""
    return message(3, struct.pack("=i", status))


def a_dump(sockets: Iterable[Socket]) -> memoryview:
    """A whole answer: the records, then DONE."""
    return memoryview(b"".join(map(record, sockets)) + done())


def _field(family: int, address: bytes) -> bytes:
    if family == AF_INET6 and len(address) == V4_BYTES:
        return V4_MAPPED_PREFIX + address
    return address.ljust(V6_BYTES, b"\0")
