"""Reading back what agent.netlink.request asks for, for answers that do not come from sock_diag. Pure."""

import struct
from dataclasses import dataclass

from agent.netlink.messages import HEADER_BYTES
from agent.netlink.request import TCPDIAG_GETSOCK

IPPROTO_TCP = 6
AF_INET, AF_INET6 = 2, 10
_BODY_BYTES = {TCPDIAG_GETSOCK: 60}
_MODERN_BODY_BYTES = 56
_ATTRIBUTE_BYTES = 4
_OP = struct.Struct("=BBH")
_NOP, _JMP, _S_GE, _S_LE, _D_GE, _D_LE, _AUTO, _S_EQ, _D_EQ = 0, 1, 2, 3, 4, 5, 6, 11, 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for."""

    families: tuple[int, ...]
    protocol: int
    states: int
    """A bit a state."""
    bytecode: bytes

    def accepts(self, state: int, local_port: int, remote_port: int) -> bool:
        """Whether a socket passes. AUTO is taken to hold: that a port was bound by number shows in sock_diag only."""
        return bool(1 << state & self.states) and _passes(self.bytecode, local_port, remote_port)


def wanted(request: bytes) -> Wanted:
    """Read a request of `both_families` or `one_family`."""
    (kind,) = struct.unpack_from("=H", request, 4)
    body = request[HEADER_BYTES:]
    bytecode = body[_BODY_BYTES.get(kind, _MODERN_BODY_BYTES) + _ATTRIBUTE_BYTES :]
    if kind == TCPDIAG_GETSOCK:
        (states,) = struct.unpack_from("=I", body, 52)
        return Wanted((AF_INET, AF_INET6), IPPROTO_TCP, states, bytecode)
    family, protocol, _extension, _padding, states = struct.unpack_from("=BBBBI", body)
    return Wanted((family,), protocol, states, bytecode)


def _passes(bytecode: bytes, local_port: int, remote_port: int) -> bool:
    """What inet_diag_bc_run does (net/ipv4/inet_diag.c): to land on the end is to pass, beyond it to fail."""
    at = 0
    while at < len(bytecode):
        code, yes, no = _OP.unpack_from(bytecode, at)
        at += yes if _holds(code, bytecode, at, local_port, remote_port) else no
    return at == len(bytecode)


def _holds(code: int, bytecode: bytes, at: int, local_port: int, remote_port: int) -> bool:
    if code in (_NOP, _AUTO):
        return True
    if code == _JMP:
        return False
    port: int = struct.unpack_from("=H", bytecode, at + _OP.size + 2)[0]
    ours = local_port if code in (_S_GE, _S_LE, _S_EQ) else remote_port
    if code in (_S_EQ, _D_EQ):
        return ours == port
    return ours >= port if code in (_S_GE, _D_GE) else ours <= port
