"""Ports that bind(ip, 0) and UDP's autobind can lend: one socket on a port is enough to take it. Pure.

TCP: inet_csk_find_open_port with inet_csk_bind_conflict (net/ipv4/inet_connection_sock.c). A socket in any state on the
same local address or on the wildcard takes the port, wherever it goes: more destinations do not help.
UDP: udp_lib_get_port (net/ipv4/udp.c). connect() and sendto() bind before the source address is known, so they need
the port free on every address; bind(ip, 0) first needs it free on that address and the wildcard.
Addresses meet as inet_rcv_saddr_equal says.
"""

from collections.abc import Set as AbstractSet

from agent.accounting.connect import IDLE_BINDS_HIDDEN, ODD_RANGE, UNKNOWN_DEVICE, Table, odd_loss, only_real
from agent.accounting.derivation import PROBED, Derivation, Doubt
from agent.accounting.question import Protocol, Question, effective_range
from agent.netlink.records import Socket
from shared.addresses import V4_BYTES, V6_BYTES
from shared.ports import PortSettings
from shared.tcp import State

UNSURE_V6ONLY = "used by connected IPv6 sockets; the kernel does not tell whether they are IPv6 only"


def derive(question: Question, settings: PortSettings, table: Table) -> Derivation:
    """Account for a `bind` or `udp` pool: a port is held by whoever is on it.

    Blocked are ports of binders that no list shows (before 6.8), where trying found them.
    """
    port_range = effective_range(settings.port_range, question.own_range)
    reserved = frozenset(port for port in settings.reserved if port in port_range)
    usable = set(port_range.ports) - reserved
    meeting = [one for one in table.sockets if one.local_port in usable and _meets(question, one)]
    certain = {one.local_port for one in meeting if not _may_be_elsewhere(question, one, table)}
    held = {one.local_port: State(one.state) for one in meeting}
    states: dict[State, int] = {}
    for state in held.values():
        states[state] = states.get(state, 0) + 1
    blocked = {port: PROBED for port, is_free in table.tried.items() if not is_free and port in usable - held.keys()}
    free = usable - held.keys() - blocked.keys()
    is_tcp = question.protocol is Protocol.TCP
    doubtful = undecided(table, free) if is_tcp else set()
    return Derivation(
        question=question,
        port_range=port_range,
        reserved=reserved,
        blocked=blocked,
        states=states,
        doubts=only_real(
            Doubt(len(doubtful), IDLE_BINDS_HIDDEN),
            Doubt(odd_loss(port_range, free - doubtful) if is_tcp else 0, ODD_RANGE),
        ),
        hopes=only_real(Doubt(len(held.keys() - certain), UNSURE_V6ONLY if table.tells_devices else UNKNOWN_DEVICE)),
        free_even_offset=sum((port - port_range.low) % 2 == 0 for port in free),
        probed=len(table.probed),
    )


def worth_probing(question: Question, settings: PortSettings, table: Table) -> set[int]:
    """Ports on which an idle binder may sit that is in no list. An open bucket proves that nobody bound the port."""
    port_range = effective_range(settings.port_range, question.own_range)
    held = {one.local_port for one in table.sockets if _meets(question, one)}
    return undecided(table, set(port_range.ports) - settings.reserved - held)


def undecided(table: Table, ports: AbstractSet[int]) -> set[int]:
    """Those of `ports` that an idle binder may have: neither is their bucket open, nor was bind() tried."""
    if table.complete:
        return set()
    return {port for port in ports if not table.probed.get(port) and port not in table.tried}


def _meets(question: Question, other: Socket) -> bool:
    """Whether the asker, as it will bind, and `other` cannot both have the port."""
    if question.ifindex and other.ifindex not in (0, question.ifindex):
        return False
    asked = question.local if question.bind_first else b""
    if len(question.local) == V4_BYTES:
        return _v4_meets(asked, other)
    return _v6_meets(asked, other)


def _v4_meets(asked: bytes, other: Socket) -> bool:
    """An IPv4 asker on `asked`, empty for the wildcard."""
    if len(other.local) == V6_BYTES:
        if other.v6only:
            return False
        return not asked or _is_wildcard(other)
    return not asked or other.local == asked or _is_wildcard(other)


def _v6_meets(asked: bytes, other: Socket) -> bool:
    """An IPv6 asker: on the wildcard it is dual-stack and meets everybody; on an address it is IPv6 only."""
    if not asked:
        return True
    return len(other.local) == V6_BYTES and (other.local == asked or _is_wildcard(other))


def _is_wildcard(socket: Socket) -> bool:
    return not any(socket.local)


def _may_be_elsewhere(question: Question, other: Socket, table: Table) -> bool:
    """Whether the two may get along for what is not told of `other`.

    Connected IPv6 sockets do not report IPV6_V6ONLY; only an IPv4 asker cares. Devices matter to one that has one.
    """
    if question.ifindex and not table.tells_devices:
        return True
    return len(question.local) == V4_BYTES and len(other.local) == V6_BYTES and other.v6only is None
