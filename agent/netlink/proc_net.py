"""Sockets from the text of /proc/net/tcp and its like, in the form of sock_diag's records. Pure.

Where a filter keeps netlink from us, the kernel's text still lists connections, listeners and TIME_WAITs. It does not
tell sockets that are bound and idle, which port was bound by number, the device a socket is bound to, or its control
group. A cookie is made of the addresses, which stay the same for a socket's life and into its TIME_WAIT.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator

from agent.netlink.bytecode import AF_INET, Wanted
from agent.netlink.messages import HEADER_BYTES, NLMSG_DONE
from agent.netlink.request import SOCK_DIAG_BY_FAMILY
from shared.addresses import V6_BYTES

NLM_F_MULTI = 2
JIFFY_MS = 10
"""/proc tells times in USER_HZ, 100 a second on every architecture but Alpha."""
_BODY = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_HEADER = struct.Struct("=IHHII")
_COLUMNS = 10
_V4_DIGITS = 8


def records(lines: Iterable[str], family: int, wanted: Wanted) -> Iterator[bytes]:
    """A record for each line that the request wants; the heading and lines of other shapes are passed over."""
    for line in lines:
        columns = line.split()
        if len(columns) < _COLUMNS or not columns[0].endswith(":"):
            continue
        local, local_port = _endpoint(columns[1])
        peer, peer_port = _endpoint(columns[2])
        state = int(columns[3], 16)
        if wanted.accepts(state, local_port, peer_port):
            timer, _colon, when = columns[5].partition(":")
            yield _framed(
                SOCK_DIAG_BY_FAMILY,
                _BODY.pack(
                    family,
                    state,
                    int(timer, 16),
                    0,
                    local_port.to_bytes(2, "big"),
                    peer_port.to_bytes(2, "big"),
                    local.ljust(V6_BYTES, b"\0"),
                    peer.ljust(V6_BYTES, b"\0"),
                    0,
                    _cookie(columns[1] + columns[2]),
                    int(when, 16) * JIFFY_MS & 0xFFFF_FFFF,
                    0,
                    0,
                    int(columns[7]),
                    int(columns[9]),
                ),
            )


def done() -> bytes:
    """What ends a dump."""
    return _framed(NLMSG_DONE, bytes(4))


def table_name(protocol_name: str, family: int) -> str:
    """`tcp`, `udp6`: the file under /proc/net."""
    return protocol_name + ("" if family == AF_INET else "6")


def _framed(kind: int, body: bytes) -> bytes:
    return _HEADER.pack(HEADER_BYTES + len(body), kind, NLM_F_MULTI, 1, 0) + body


def _cookie(addresses: str) -> bytes:
    return hashlib.blake2b(addresses.encode(), digest_size=8).digest()


def _endpoint(text: str) -> tuple[bytes, int]:
    """`0100007F:1F90`: words of the address as numbers of this host's byte order, and the port."""
    address, _colon, port = text.rpartition(":")
    words = (address[at : at + _V4_DIGITS] for at in range(0, len(address), _V4_DIGITS))
    return b"".join(struct.pack("=I", int(word, 16)) for word in words), int(port, 16)
