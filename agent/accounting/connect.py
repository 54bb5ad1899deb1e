"""TCP connect() without a port of its own: __inet_hash_connect (net/ipv4/inet_hashtables.c). Pure.

A port serves unless (a) its bind bucket is blocked: something bound it, whatever the destination, local address or
family, or (b) the very tuple is taken by a socket in any state, a recyclable TIME_WAIT excepted. (b) is in every dump.
(a) is visible for listeners, idle binds and sockets bound to a port by number; bind(ip, 0) before connect(), children
of a closed listener, and what explicitly bound sockets leave behind are hidden, until the bucket is probed.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.accounting.derivation import BOUND, BOUND_CONNECTED, BOUND_IDLE, LISTENING, PROBED, Derivation, Doubt
from agent.accounting.question import Question, effective_range
from agent.netlink.records import Socket
from shared.ports import PortRange, PortSettings
from shared.reuse import TIME_WAIT_MS, mode_allows, old_enough_ms, surely_young_ms
from shared.tcp import State

HIDDEN = "in use elsewhere; whether something bound them shows only when probed"
IDLE_BINDS_HIDDEN = "perhaps bound by sockets that this kernel does not list"
UNSURE_TIMESTAMPS = "TIME_WAIT that connect() may recycle only if the peer used timestamps"
UNSURE_AGE = "TIME_WAIT perhaps old enough for connect() to recycle, or with timestamps switched off since"
ODD_RANGE = "the range has an odd size: each scan leaves out its first port or its last"
UNKNOWN_DEVICE = "perhaps bound to a device of their own, and then in nobody's way; the kernel's text does not tell"
MAYBE_RELEASED = "bound by number and connected; the kernel may have released them all the same"
BIND_ADDRESS_NO_PORT = 0x100
"""Bit of the SOCKOPT attribute: the socket's bind(ip, 0) took no port, so it did not block one."""


class Taker(NamedTuple):
    """What is to be known of a socket that takes the asked-for tuple on a port."""

    state: int
    ifindex: int = 0
    expires_ms: int = 0
    """Of a TIME_WAIT; 0 else, so that all alike are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The TCP sockets of one namespace on ports of its range, and what else is known of the ports."""

    sockets: Sequence[Socket]
    own: Mapping[Taker, AbstractSet[int]] = field(default_factory=dict)
    """The ports on which the asked-for tuple is taken, where those sockets were read apart from `sockets`."""
    bound: frozenset[int] = frozenset()
    """Ports of listeners and idle binders whose sockets are not among `sockets`."""
    unread: int = 0
    """How many sockets are not among `sockets`, where only one pool's were read: each may hide a binder."""
    explicit: frozenset[int] = frozenset()
    """Ports that a connected socket bound by number (bytecode: not AUTO)."""
    probed: Mapping[int, bool] = field(default_factory=dict)
    """Port → whether a connect() may take it, as its bucket answered."""
    tells_devices: bool = True
    """Sockets that are bound to a device say so: not in the text that has to do where netlink is refused."""
    complete: bool = True
    """Whoever could block a port of the range is in `sockets`: not so where the kernel hides idle binds (till 6.8)."""
    frees_ports_on_release: bool = True
    """A port turns lendable when its explicit binder goes while others stay (6.18 and later)."""
    poisons_for_life: bool = True
    """A port once bound stays blocked while any socket is on it, bound or not (before 6.18)."""
    tried: Mapping[int, bool] = field(default_factory=dict)
    """Port → whether bind() of the asked-for local address to it succeeds, as far as that was tried."""
    scans_own_range_whole: bool = False
    """An application's own range of odd size loses no port (6.8 and later)."""


def derive(question: Question, settings: PortSettings, table: Table) -> Derivation:
    """Account for `question`. Ports outside the range and reserved ones do not exist here."""
    port_range = effective_range(settings.port_range, question.own_range)
    reserved = frozenset(port for port in settings.reserved if port in port_range)
    usable = set(port_range.ports) - reserved
    blocked = {port: why for port, why in blocked_ports(table).items() if port in usable}
    takers = _takers(question, table, usable - blocked.keys())
    reusable, young = _recyclable(question, takers, settings)
    held = {taker: ports - reusable for taker, ports in takers.items()}
    free = usable.difference(blocked.keys(), *held.values())
    hidden = hidden_ports(table, usable) & free
    most_hidden = _most_hidden(table, hidden)
    counted = hidden if most_hidden == len(hidden) else set()
    is_scanned_whole = question.own_range is not None and table.scans_own_range_whole
    return Derivation(
        question=question,
        port_range=port_range,
        reserved=reserved,
        blocked=blocked,
        states=_by_state(held),
        time_wait_reusable=len(reusable),
        doubts=only_real(
            Doubt(most_hidden, HIDDEN),
            Doubt(len(reusable - counted), UNSURE_TIMESTAMPS),
            Doubt(0 if is_scanned_whole else odd_loss(port_range, free - counted - reusable), ODD_RANGE),
        ),
        hopes=only_real(
            Doubt(len(young), UNSURE_AGE),
            Doubt(0 if table.tells_devices else sum(map(len, held.values())) - len(young), UNKNOWN_DEVICE),
            Doubt(
                len((_maybe_released(table) & blocked.keys()) - _held_anyway(question, table, usable)), MAYBE_RELEASED
            ),
        ),
        free_even_offset=sum((port - port_range.low) % 2 == 0 for port in free),
        probed=len(table.probed),
    )


def blocked_ports(table: Table) -> dict[int, str]:
    """Ports that no connect() of the namespace may take, for certain, each with the reason."""
    blocked = dict.fromkeys(table.explicit, BOUND_CONNECTED) | dict.fromkeys(table.bound, BOUND)
    for socket in table.sockets:
        if socket.state == State.LISTEN:
            blocked[socket.local_port] = LISTENING
        elif socket.state in (State.CLOSE, State.BOUND_INACTIVE):
            blocked.setdefault(socket.local_port, BOUND_IDLE)
    for port, usable in table.probed.items():
        if usable:
            blocked.pop(port, None)
        else:
            blocked.setdefault(port, PROBED)
    return blocked


def hidden_ports(table: Table, usable: Iterable[int]) -> set[int]:
    """Ports of `usable` whose bucket might be blocked though no dump says so, and that no probe has told of yet."""
    if table.unread or not table.complete:
        return set(usable) - table.probed.keys()
    return {
        socket.local_port
        for socket in table.sockets
        if socket.local_port not in table.probed and not _cannot_block(socket, table)
    }


def worth_probing(question: Question, settings: PortSettings, table: Table) -> set[int]:
    """Ports whose bucket could change the account: hidden ones, connected explicit binders, recyclable TIME_WAITs.

    A port held for certain by the pool itself stays held whatever its bucket says.
    """
    port_range = effective_range(settings.port_range, question.own_range)
    usable = set(port_range.ports) - settings.reserved
    unsure = hidden_ports(table, usable) | (table.explicit - table.probed.keys())
    return (unsure & usable) - _held_anyway(question, table, usable)


def _most_hidden(table: Table, hidden: set[int]) -> int:
    """How many of the hidden ports can be blocked at once: no more than there are sockets to block them."""
    return min(len(hidden), table.unread) if table.unread and table.complete else len(hidden)


def _cannot_block(socket: Socket, table: Table) -> bool:
    """Whether this socket proves that it left its port's bucket alone; a TIME_WAIT tells nothing."""
    if socket.sockopt is None or table.poisons_for_life:
        return False
    return bool(socket.sockopt & BIND_ADDRESS_NO_PORT)


def _takers(question: Question, table: Table, ports: Iterable[int]) -> dict[Taker, set[int]]:
    """Who takes the asked-for tuple on which of `ports`. A device-bound socket takes it only from its own device.

    One tuple told in two states changed while it was read; what it was last is worse than a TIME_WAIT, if either is.
    """
    told: dict[Taker, set[int]] = {taker: set(its) for taker, its in table.own.items()}
    devices = devices_in_the_way(question)
    for socket in table.sockets:
        if (
            socket.peer_port == question.peer_port
            and socket.peer == question.peer
            and socket.local == question.local
            and socket.ifindex in devices
        ):
            told.setdefault(taker_of(socket.state, socket.ifindex, socket.expires_ms), set()).add(socket.local_port)
    found: dict[Taker, set[int]] = {}
    left = set(ports)
    for taker in sorted(told, key=lambda one: one.state == State.TIME_WAIT):
        if its := told[taker] & left:
            found[taker] = its
            left -= its
    return found


def taker_of(state: int, ifindex: int, expires_ms: int) -> Taker:
    """The taker that a socket is."""
    return Taker(state, ifindex, expires_ms if state == State.TIME_WAIT else 0)


def devices_in_the_way(question: Question) -> frozenset[int]:
    """Where a socket of the asked-for tuple may be bound to, 0 for nowhere, to be in the way of the asker."""
    return frozenset({0, question.ifindex, question.vrf})


def _recyclable(
    question: Question, takers: Mapping[Taker, AbstractSet[int]], settings: PortSettings
) -> tuple[set[int], set[int]]:
    """Ports whose TIME_WAIT is old enough to be recycled, and those where that is not likely, yet possible.

    That is where the age does not decide, and where timestamps are off now: they may have been on before.
    """
    young_ms, old_ms = surely_young_ms(settings), old_enough_ms(settings)
    reusable: set[int] = set()
    young: set[int] = set()
    for taker, ports in takers.items():
        if taker.state == State.TIME_WAIT and mode_allows(question.local, question.peer, settings, taker.ifindex):
            if age_ms(taker) >= old_ms:
                reusable |= ports
            elif age_ms(taker) >= young_ms:
                young |= ports
    if not settings.integers.get("tcp_timestamps", 1):
        return set(), young | reusable
    return reusable, young


def _maybe_released(table: Table) -> set[int]:
    """Ports of connected explicit binders that the newest kernels may have unblocked behind their back.

    6.18 frees a port on release if its sub-bucket looks free, which a socket bound to any address and connected since
    does not spoil (__inet_bhash2_update_saddr copies nothing).
    """
    return set(table.explicit - table.probed.keys()) if table.frees_ports_on_release else set()


def _held_anyway(question: Question, table: Table, usable: set[int]) -> set[int]:
    """Ports that the pool's own sockets hold, whatever becomes of their buckets; a TIME_WAIT may yet be recycled."""
    takers = _takers(question, table, usable)
    return set().union(*(ports for taker, ports in takers.items() if taker.state != State.TIME_WAIT))


def age_ms(time_wait: Taker) -> int:
    """How long ago a TIME_WAIT began; a retransmitted FIN starts its timer anew, so never too old."""
    return TIME_WAIT_MS - time_wait.expires_ms


def odd_loss(port_range: PortRange, free: set[int]) -> int:
    """1 where an odd range (`remaining &= ~1`) may hide a free port: the scan leaves out its first or its last.

    `free` without those that another doubt is about: a port is missed once.
    """
    if len(port_range) % 2 == 0 or len(port_range) == 1:
        return 0
    return int(port_range.low in free or port_range.high in free)


def only_real(*doubts: Doubt) -> tuple[Doubt, ...]:
    """Those that concern any port at all."""
    return tuple(doubt for doubt in doubts if doubt.ports)


def _by_state(held: Mapping[Taker, AbstractSet[int]]) -> dict[State, int]:
    states: dict[State, int] = {}
    for taker, ports in held.items():
        if ports:
            states[State(taker.state)] = states.get(State(taker.state), 0) + len(ports)
    return states
