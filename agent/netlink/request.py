"""Questions to sock_diag, as bytes. Pure. Layouts: linux/netlink.h, linux/inet_diag.h.

Filters run in the kernel as bytecode, {u8 code, u8 yes, u16 no} with jumps in bytes from the op itself; a port
comparison takes a second op whose `no` holds the port in host order. To accept is to land exactly on the end, to
reject is to jump 4 past it. The kernel's audit (inet_diag_bc_audit) walks the *yes* jumps only and must end exactly
at the end, and every `no` target must lie on that walk; hence the trailing JMP of "AUTO → reject".
"""

import socket
import struct
from collections.abc import Collection, Iterable, Sequence

from shared.addresses import V4_BYTES
from shared.ports import PortRange

TCPDIAG_GETSOCK = 18
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
REQ_BYTECODE = 1
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_SOCKID = bytes(48)
_JMP, _S_GE, _S_LE, _D_GE, _D_LE, _AUTO, _S_COND, _D_COND = 1, 2, 3, 4, 5, 6, 7, 8
_OP = struct.Struct("=BBH")
_COMPARISON = struct.Struct("=BBHBBH")
_ALTERNATIVE_BYTES = 2 * _COMPARISON.size + _OP.size
_AUTO_BYTES = 2 * _OP.size
_HOST = struct.Struct("=BBxxi")
"""struct inet_diag_hostcond: family, length of the prefix, port (-1: any); the address follows."""
_ANY_PORT = -1


def both_families(states: int, bytecode: bytes = b"") -> bytes:
    """Dump TCP over IPv4 and IPv6 in one walk of the socket table: the legacy request with family AF_UNSPEC.

    Two requests by family walk the table twice, at 1.25 times the cost; the kernel serves both from the same code
    (inet_diag_dump_compat).
    """
    return _framed(TCPDIAG_GETSOCK, bytes(4) + _SOCKID + struct.pack("=II", states, 0), bytecode)


def one_family(family: int, protocol: int, states: int, bytecode: bytes = b"") -> bytes:
    """Dump one protocol (IPPROTO_TCP, IPPROTO_UDP) over one address family."""
    return _framed(SOCK_DIAG_BY_FAMILY, struct.pack("=BBBBI", family, protocol, 0, 0, states) + _SOCKID, bytecode)


def tcp_families(states: int, bytecode: bytes = b"") -> list[bytes]:
    """The same question in the modern form, one request a family."""
    return [one_family(family, socket.IPPROTO_TCP, states, bytecode) for family in (socket.AF_INET, socket.AF_INET6)]


def _framed(kind: int, body: bytes, bytecode: bytes) -> bytes:
    if bytecode:
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(bytecode), REQ_BYTECODE) + bytecode
    return _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST_DUMP, 1, 0) + body


def local_port_in(ranges: Sequence[PortRange], *, explicit_only: bool = False) -> bytes:
    """Bytecode: the local port lies in one of the ranges [and the application bound it itself, INET_DIAG_BC_AUTO].

    `ranges` is not empty. About 2 ns a range and socket in the kernel.
    """
    tail = _OP.pack(_AUTO, 4, 8) + _OP.pack(_JMP, 4, 8) if explicit_only else b""
    return _one_of(ranges, _S_GE, _S_LE, tail)


def remote_port_in(ports: Collection[int], and_then: bytes = b"") -> bytes:
    """Bytecode: the remote port is one of `ports`, which is not empty [and what `and_then` asks for]."""
    return _one_of([PortRange(port, port) for port in sorted(ports)], _D_GE, _D_LE, and_then)


def connected(local: bytes, peer: bytes, peer_port: int, and_then: bytes = b"") -> bytes:
    """Bytecode: the socket's ends are these, an IPv4 one's also as v4-mapped [and what `and_then` asks for]."""
    from_local = _host_is(_S_COND, local, _ANY_PORT, and_then)
    return _host_is(_D_COND, peer, peer_port, from_local)  # First: of all it is the likeliest to turn a socket away.


def _host_is(code: int, address: bytes, port: int, and_then: bytes) -> bytes:
    family = socket.AF_INET if len(address) == V4_BYTES else socket.AF_INET6
    condition = _HOST.pack(family, 8 * len(address), port) + address
    length = _OP.size + len(condition)
    return _OP.pack(code, length, length + len(and_then) + 4) + condition + and_then


def _one_of(ranges: Sequence[PortRange], not_below: int, not_above: int, tail: bytes) -> bytes:
    """Not above `high`? then not below `low`? then on to the tail; above `high`: the next range, or reject."""
    pieces: list[bytes] = []
    left = len(ranges) * _ALTERNATIVE_BYTES + len(tail)
    for one in ranges:
        reject = left + 4
        above = _ALTERNATIVE_BYTES if one is not ranges[-1] else reject
        pieces += [
            _COMPARISON.pack(not_above, 8, above, 0, 0, one.high),
            _COMPARISON.pack(not_below, 8, reject - 8, 0, 0, one.low),
            _OP.pack(_JMP, 4, left - 16 - len(tail)),
        ]
        left -= _ALTERNATIVE_BYTES
    return b"".join([*pieces, tail])


def without(port_range: PortRange, ports: Iterable[int]) -> list[PortRange]:
    """The stretches of the range that remain when the ports are taken out."""
    stretches: list[PortRange] = []
    low = port_range.low
    for port in sorted({port for port in ports if port in port_range}):
        if port > low:
            stretches.append(PortRange(low, port - 1))
        low = port + 1
    if low <= port_range.high:
        stretches.append(PortRange(low, port_range.high))
    return stretches
