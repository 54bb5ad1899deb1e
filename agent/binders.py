"""Who bound ports of the range: what the kernel lists, and the pools of those that bind(ip, 0). The edge."""

from collections import Counter
from collections.abc import Iterable

from agent.accounting.account import derive
from agent.accounting.connect import BIND_ADDRESS_NO_PORT, Table
from agent.accounting.derivation import reading_of
from agent.accounting.question import Question
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.tally import CONNECTED_STATES
from shared.model import Reading
from shared.ports import PortRange, PortSettings
from shared.tcp import ALL_STATES, State, state_mask

LISTEN = state_mask(State.LISTEN)
IDLE = state_mask(State.BOUND_INACTIVE)
MOST_BINDER_POOLS = 8


def binders(diag: SockDiag, settings: PortSettings) -> frozenset[int]:
    """Ports of the range that applications bound themselves: connected ones by bytecode, idle ones by their state."""
    return bound_ports(diag, IDLE, settings.port_range) | bound_ports(
        diag, CONNECTED_STATES, settings.port_range, explicit_only=True
    )


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
    suspects = Counter(one.local for one in table.sockets if one.local_port in shut and may_have_bound(one))
    return tuple(
        reading_of(derive(Question(local=local, peer=local, peer_port=1, bind_first=True), settings, table), name)
        for local, _sockets in suspects.most_common(MOST_BINDER_POOLS)
    )


def may_have_bound(socket: Socket) -> bool:
    """Connected from an address that bind(ip, 0) could have taken a port for: not with IP_BIND_ADDRESS_NO_PORT."""
    return bool(socket.peer_port) and socket.sockopt is not None and not socket.sockopt & BIND_ADDRESS_NO_PORT
