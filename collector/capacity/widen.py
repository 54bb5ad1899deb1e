"""Whether the port range may be widened on many hosts, what each role would have to set, and what it gains. Pure.

A port that a host reserves, or that something wanted by number as far back as its agent remembers, is reserved on all
hosts of its role: lines that differ from host to host are lines that get mixed up. A host that does not tell what it
remembers is unknown, and nothing is called safe for its role.

A range of odd size is counted one port short, as connect() finds it, and the even one beside it is named.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.model import Claims
from shared.ports import PortRange, format_ports, losing_none

MOST_NAMED = 10
"""Hosts that a line names; the others are counted."""


class Verdict(StrEnum):
    """Whether a role may be given the range."""

    SAFE = "safe"
    """Nothing on any of its hosts, as far back as they remember, is on a port that would be lent anew."""
    RESERVE_FIRST = "reserve-first"
    """The lines reserve what would be lent and is wanted."""
    UNKNOWN = "unknown"
    """Some of its hosts do not tell."""
    REFUSED = "refused"
    """A kernel would refuse it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One network namespace of one host, as it told last."""

    host: str
    role: str | None
    netns: str
    port_range: PortRange
    lends: int
    """Ports that a pool can lend now."""
    claims: Claims | None
    unprivileged: int = 0
    """ip_unprivileged_port_start, below which the kernel takes no range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """What a range would mean for one role."""

    role: str | None
    verdict: Verdict
    why: str
    hosts: int
    unknown: tuple[str, ...]
    """Hosts that do not tell which ports they want."""
    remembered_since_ms: int | None
    """How far back all that do tell remember; None where none does."""
    in_the_way: str
    """Ports that would be lent anew and are wanted on some host, as a list of ports."""
    capacity_before: int
    """The least that any of its namespaces lends to a connect()."""
    capacity_after: int
    """What all of them lend then; at most so many where some are unknown."""
    better_range: str | None
    """Of an odd size each connect() leaves out a port: the nearest range that loses none; None: this one."""
    sysctl: tuple[str, ...]
    """Lines to set on each of its hosts, in this order."""


def widenings(grounds: Iterable[Ground], wanted: PortRange) -> list[Widening]:
    """What the range would mean, role by role, by name; hosts without one are a group of their own."""
    by_role: dict[str | None, list[Ground]] = defaultdict(list)
    for one in grounds:
        by_role[one.role].append(one)
    return [_widening(role, by_role[role], wanted) for role in sorted(by_role, key=lambda role: role or "")]


def _widening(role: str | None, members: Sequence[Ground], wanted: PortRange) -> Widening:
    told = [one.claims for one in members if one.claims is not None]
    unknown = tuple(sorted({one.host for one in members if one.claims is None}))
    claimed = {port for claims in told for port in claims.ports if port in wanted}
    anew = {port for one in members if one.claims for port in one.claims.ports if _is_lent_anew(port, one, wanted)}
    verdict, why = _verdict(members, wanted, unknown, anew)
    better = losing_none(wanted)
    lines = [f'sysctl -w net.ipv4.ip_local_port_range="{wanted.low} {wanted.high}"']
    if claimed:
        lines.insert(0, f"sysctl -w net.ipv4.ip_local_reserved_ports={format_ports(claimed)}")
    return Widening(
        role=role,
        verdict=verdict,
        why=why,
        hosts=len({one.host for one in members}),
        unknown=unknown,
        remembered_since_ms=max((claims.since_ms for claims in told), default=None),
        in_the_way=format_ports(anew),
        capacity_before=min(max(0, one.lends - _lost(one.port_range)) for one in members),
        capacity_after=max(0, len(wanted) - len(claimed) - _lost(wanted)),
        better_range=f"{better.low}-{better.high}" if better != wanted else None,
        sysctl=() if verdict is Verdict.REFUSED else tuple(lines),
    )


def _lost(port_range: PortRange) -> int:
    return int(losing_none(port_range) != port_range)


def _is_lent_anew(port: int, ground: Ground, wanted: PortRange) -> bool:
    return port in wanted and port not in ground.port_range


def _verdict(
    members: Sequence[Ground], wanted: PortRange, unknown: Sequence[str], anew: set[int]
) -> tuple[Verdict, str]:
    lowest = max(one.unprivileged for one in members)
    if wanted.low < lowest:
        names = _named(sorted({one.host for one in members if one.unprivileged > wanted.low}))
        return Verdict.REFUSED, f"{names} take no range below ip_unprivileged_port_start, {lowest}"
    if unknown:
        told = "portgauge-agent advise says it there"
        why = f"which ports are reserved or remembered is not told by {_named(unknown)}: {told}"
        return Verdict.UNKNOWN, why
    if anew:
        return Verdict.RESERVE_FIRST, "ports in use there now or before are to be reserved first, in this order"
    return Verdict.SAFE, "no host reserves, or remembers in use, a port that would be lent anew"


def _named(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - MOST_NAMED:,} more" if len(hosts) > MOST_NAMED else ""
    return ", ".join(hosts[:MOST_NAMED]) + more
