"""Who bound ports of the range: what the kernel lists, and the pools of those that bind(ip, 0). The edge."""

from collections import Counter
from collections.abc import Iterable, Iterator

from agent.accounting.account import derive
from agent.accounting.connect import BIND_ADDRESS_NO_PORT, Table
from agent.accounting.derivation import reading_of
from agent.accounting.question import Question
from agent.lingering import Lingering, stretches
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.tally import CONNECTED_STATES
from shared.model import Reading
from shared.ports import PortRange, PortSettings
from shared.tcp import ALL_STATES, State, state_mask

LISTEN = state_mask(State.LISTEN)
IDLE = state_mask(State.BOUND_INACTIVE)
LEFT = state_mask(State.TIME_WAIT, State.FIN_WAIT2)
MOST_STRETCHES = 256
"""So many stretches of ports a filter may have; each costs the kernel some 2 ns a socket."""
MOST_BINDER_POOLS = 8
LEAST_PORTS = 3
"""Bound by one address before its pool is told. Whoever probes, another command of ours too, binds one port for a
moment: met by chance under somebody's connection it must not make that somebody a binder, and page people."""


def binders(diag: SockDiag, settings: PortSettings, memory: Lingering) -> frozenset[int]:
    """Ports of the range that applications bound themselves: connected ones by bytecode, idle ones by their state.

    `memory` is of this namespace: what those left that it met connected before is found by their cookies.
    """
    numbered = local_port_in([settings.port_range], explicit_only=True)
    explicit = read_sockets(diag, [both_families(CONNECTED_STATES, numbered)])
    suspected = memory.meet({one.cookie: one.local_port for one in explicit})
    lingering = memory.settle(_left_on(diag, suspected)) if suspected else frozenset()
    return bound_ports(diag, IDLE, settings.port_range) | {one.local_port for one in explicit} | lingering


def _left_on(diag: SockDiag, ports: frozenset[int]) -> Iterator[int]:
    """The cookies of TIME_WAITs on these ports, and of the FIN_WAIT2s before them that have no socket any more."""
    request = both_families(LEFT, local_port_in(stretches(ports, MOST_STRETCHES)))
    return (one.cookie for buffer in diag.dump(request) for one in sockets(buffer))


def bound_ports(diag: SockDiag, states: int, port_range: PortRange, *, explicit_only: bool = False) -> frozenset[int]:
    """Local ports of the sockets in these states, within the range."""
    request = both_families(states, local_port_in([port_range], explicit_only=explicit_only))
    return frozenset(socket.local_port for buffer in diag.dump(request) for socket in sockets(buffer))


def read_sockets(diag: SockDiag, requests: Iterable[bytes]) -> list[Socket]:
    """Every socket of the answers, each once: a chain that changes at a message's edge may be told twice."""
    found = {
        (one.cookie, one.local, one.local_port, one.peer, one.peer_port, one.ifindex): one
        for request in requests
        for buffer in diag.dump(request)
        for one in sockets(buffer)
    }
    return list(found.values())


def binder_pools(diag: SockDiag, settings: PortSettings, shut: frozenset[int], name: str) -> tuple[Reading, ...]:
    """The `bind` pools of the local addresses whose sockets stand on ports found `shut`; none where none is.

    Reads every socket of the range one by one, so it is for namespaces where binders were found.
    """
    if not shut:
        return ()
    table = Table(sockets=read_sockets(diag, [both_families(ALL_STATES, local_port_in([settings.port_range]))]))
    standing = {(one.local, one.local_port) for one in table.sockets if one.local_port in shut and may_have_bound(one)}
    suspects = Counter(local for local, _port in standing)
    return tuple(
        reading_of(derive(Question(local=local, peer=local, peer_port=1, bind_first=True), settings, table), name)
        for local, ports in suspects.most_common(MOST_BINDER_POOLS)
        if ports >= LEAST_PORTS
    )


def may_have_bound(socket: Socket) -> bool:
    """Connected from an address that bind(ip, 0) could have taken a port for: not with IP_BIND_ADDRESS_NO_PORT."""
    return bool(socket.peer_port) and socket.sockopt is not None and not socket.sockopt & BIND_ADDRESS_NO_PORT
