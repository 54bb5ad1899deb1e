"""Ports that something listens on or bound by number, in one namespace: what a wider range must not lend. The edge.

A port outside the range that is taken was taken by somebody who wanted exactly this one. Inside it, those are meant
whose application named the number: of the others the kernel chose one, and will choose another.
"""

import socket

from agent.binders import IDLE, LISTEN, read_sockets
from agent.netlink.records import Socket
from agent.netlink.request import both_families, local_port_in, one_family
from agent.netlink.sock_diag import SockDiag
from agent.tally import CONNECTED_STATES
from shared.ports import HIGHEST_PORT, PortRange
from shared.tcp import ALL_STATES, State

ALL_PORTS = PortRange(1, HIGHEST_PORT)
LISTENING, IDLE_BOUND, CONNECTED, UDP = "listening", "bound, idle", "bound, connected", "UDP"


def ports_in_use(diag: SockDiag, port_range: PortRange) -> dict[int, str]:
    """Port → what has it now, `port_range` being what connect() draws from. Raises DumpError."""
    numbered = read_sockets(diag, [both_families(CONNECTED_STATES, local_port_in([ALL_PORTS], explicit_only=True))])
    requests = [both_families(LISTEN | IDLE, local_port_in([port_range], explicit_only=True))]
    outside = _around(port_range)
    if outside:
        requests.append(both_families(LISTEN | IDLE, local_port_in(outside)))
    tcp = read_sockets(diag, requests)
    found = dict.fromkeys((one.local_port for one in numbered), CONNECTED)
    found |= dict.fromkeys((one.local_port for one in _udp(diag, outside)), UDP)
    found |= {one.local_port: IDLE_BOUND for one in tcp}
    return found | {one.local_port: LISTENING for one in tcp if one.state == State.LISTEN}


def _around(port_range: PortRange) -> list[PortRange]:
    ends = (1, port_range.low - 1), (port_range.high + 1, HIGHEST_PORT)
    return [PortRange(low, high) for low, high in ends if low <= high]


def _udp(diag: SockDiag, ranges: list[PortRange]) -> list[Socket]:
    """UDP sockets on these ports; whether one named its number, the kernel does not tell."""
    if not ranges:
        return []
    here = local_port_in(ranges)
    families = (socket.AF_INET, socket.AF_INET6)
    return read_sockets(diag, [one_family(family, socket.IPPROTO_UDP, ALL_STATES, here) for family in families])
