"""What to do about a pool near its limit, ranked, each with its arithmetic. Pure.

The options are those of the incident's remedy. First comes what fits the pool's own trouble: binders, then TIME_WAIT;
then what adds ports at once, the most for the least change first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.addresses import format_endpoint
from shared.model import Kind, Reading
from shared.ports import PortRange, PortSettings, format_ports, losing_none
from shared.reuse import may_reuse
from shared.tcp import State

TIME_WAIT_S = 60
WIDEST = PortRange(1_024, 65_535)
CHURNING = 0.2
"""From this share of TIME_WAIT among the held ports on, opening fewer connections helps."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to do: `gain` more connections at once, 0 where that cannot be said."""

    title: str
    gain: int
    how: tuple[str, ...] = ()
    """Lines to type or to read, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A pool and what surrounds it."""

    reading: Reading
    settings: PortSettings
    in_use: Mapping[int, str] = field(default_factory=dict)
    """Ports that something listens on or is bound to now, with what."""
    remembered: Mapping[int, str] = field(default_factory=dict)
    """The same of ports that were in use before, with when that was."""
    memory: str = ""
    """How far the memory goes, or why there is none; nothing is said if empty."""


def options(situation: Situation, target: int | None = None) -> list[Option]:
    """Everything worth doing for the pool, best first. `target`: how many connections it should allow."""
    found: list[Option | None]
    match situation.reading.pool.kind:
        case Kind.CONNECT:
            found = [_recycle(situation), _keep_alive(situation), _more_backends(situation, target)]
            found += [_wider_range(situation), _even_range(situation), _more_sources(situation)]
        case Kind.BIND:
            found = [_bind_late(situation), _wider_range(situation), _more_sources(situation)]
        case Kind.UDP:
            found = [_wider_range(situation)]
    return [option for option in [*found, _more_machines(situation)] if option is not None]


def _bind_late(situation: Situation) -> Option:
    reading = situation.reading
    taken = f"{reading.held:,} ports of {reading.pool.local_ip} are taken for every destination"
    return Option(
        "let connect() choose the port: IP_BIND_ADDRESS_NO_PORT before bind(ip, 0)",
        0,
        (
            f"{taken}; more destinations do not help",
            f"with it each destination has {reading.capacity:,} ports of its own",
        ),
    )


def _recycle(situation: Situation) -> Option | None:
    reading, sysctls = situation.reading, situation.settings.integers
    waiting = reading.states.get(State.TIME_WAIT, 0)
    recycled = may_reuse(reading.pool.local, reading.pool.peer, situation.settings)
    if waiting < CHURNING * max(1, reading.held) or recycled:
        return None
    lines = ["sysctl -w net.ipv4.tcp_tw_reuse=1"]
    if not sysctls.get("tcp_timestamps", 1):
        lines.append("sysctl -w net.ipv4.tcp_timestamps=1")
    return Option(
        "let connect() recycle TIME_WAIT older than a second",
        waiting,
        (f"{waiting:,} of {reading.held:,} held ports are in TIME_WAIT; both ends need timestamps", *lines),
    )


def _keep_alive(situation: Situation) -> Option | None:
    waiting = situation.reading.states.get(State.TIME_WAIT, 0)
    if waiting < CHURNING * max(1, situation.reading.held):
        return None
    return Option(
        "keep connections to the backend open and use them again",
        waiting,
        (f"{waiting / TIME_WAIT_S:,.0f} closes/s × {TIME_WAIT_S} s hold {waiting:,} ports that reuse would free",),
    )


def _more_backends(situation: Situation, target: int | None) -> Option:
    reading, pool = situation.reading, situation.reading.pool
    where = format_endpoint(pool.peer, pool.peer_port)
    lines = ["each address or port that the same service also listens on is a pool of its own"]
    if target is not None:
        needed = math.ceil(target / max(1, reading.capacity))
        lines.append(f"{target:,} connections ÷ {reading.capacity:,} a backend = {needed:,} backends in all")
    return Option(f"one more backend address or port beside {where}", reading.capacity, tuple(lines))


def _wider_range(situation: Situation) -> Option | None:
    low = max(WIDEST.low, situation.settings.integers.get("ip_unprivileged_port_start", 0))
    candidate = PortRange(low + (low + 1 + WIDEST.high) % 2, WIDEST.high)
    settings = situation.settings
    added = set(candidate.ports) - set(settings.port_range.ports) - settings.reserved
    now = situation.in_use.keys() & added
    before = (situation.remembered.keys() & added) - now
    gain = len(added) - len(now | before)
    if gain <= 0:
        return None
    lines = []
    if now:
        lines.append(f"in use there now, so to be reserved first: {_what_uses(situation.in_use, now)}")
    if before:
        lines.append(f"in use there before, so to be reserved too: {_what_uses(situation.remembered, before)}")
    if situation.memory:
        lines.append(situation.memory)
    if now or before:
        lines.append(f"sysctl -w net.ipv4.ip_local_reserved_ports={format_ports(settings.reserved | now | before)}")
    lines.append(f'sysctl -w net.ipv4.ip_local_port_range="{candidate.low} {candidate.high}"')
    return Option(f"widen the range to {candidate}", gain, tuple(lines))


def _what_uses(in_use: Mapping[int, str], ports: set[int]) -> str:
    by_use: dict[str, list[int]] = {}
    for port in ports:
        by_use.setdefault(in_use[port], []).append(port)
    return "; ".join(f"{format_ports(found)} ({use})" for use, found in sorted(by_use.items()))


def _even_range(situation: Situation) -> Option | None:
    port_range = situation.settings.port_range
    better = losing_none(port_range)
    if better == port_range:
        return None
    return Option(
        "give the range an even size: of an odd one each connect() leaves out a port",
        1 if len(better) > len(port_range) else 0,
        (f'sysctl -w net.ipv4.ip_local_port_range="{better.low} {better.high}"',),
    )


def _more_sources(situation: Situation) -> Option:
    return Option(
        "one more source address on this host",
        situation.reading.capacity,
        ("bind to it with IP_BIND_ADDRESS_NO_PORT; each (source, destination) has ports of its own",),
    )


def _more_machines(situation: Situation) -> Option:
    return Option("one more machine beside this one", situation.reading.capacity, ("it brings a source address",))
