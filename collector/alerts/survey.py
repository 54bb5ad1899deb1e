"""The hosts as a whole: shares above a level, backends that many press on, and who differs from its role. Pure.

A silent host's last word is no knowledge: it widens what is known into a span, and never resolves anything.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collector.alerts.conditions import PRESSED, Scope
from collector.alerts.rules import Rule
from collector.alerts.step import Span
from collector.alerts.subject import Subject, of_peer
from collector.alerts.where import Place
from shared.addresses import is_host_local
from shared.model import Kind, Reading, Snapshot

Endpoint = tuple[bytes, int]
"""(peer ip, peer port)."""
LEAST_OF_A_ROLE = 3
"""Of two that differ nobody can say which one drifted."""
LEAST_OF_A_FLEET = 3
"""What rises on fewer hosts is no rise of the fleet, however few pools there are: its pools tell of it."""
DRIFTING = ("ip_local_port_range", "ip_local_reserved_ports", "tcp_tw_reuse")


@dataclass(frozen=True, slots=True)
class Totals:
    """What a rule that counts pools makes of one host: pools from the level on, pools, and the backends it presses."""

    above: int = 0
    pools: int = 0
    pressed: frozenset[Endpoint] = frozenset()


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a host's newest snapshot."""

    place: Place
    totals: Mapping[str, Totals] = field(default_factory=dict)
    """By the name of the rule."""
    settings: tuple[object, ...] | None = None
    """DRIFTING, of the agent's own namespace; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A subject's value, and the facts behind it."""

    subject: Subject
    span: Span | None
    facts: Mapping[str, Any]


def summarise(place: Place, snapshot: Snapshot, rules: Sequence[Rule], pools: int | None = None) -> Summary:
    """What the rules that look at many hosts need of this one; `pools`: how many there are, where not all were read."""
    wide = [rule for rule in rules if rule.level is not None and rule.where.accepts_place(place)]
    return Summary(place, {rule.name: _totals(rule, snapshot, pools) for rule in wide}, settings_in(snapshot))


def _totals(rule: Rule, snapshot: Snapshot, pools: int | None) -> Totals:
    level = rule.level or 1.0
    readings = snapshot.readings
    if rule.where.names_pools:
        readings = tuple(reading for reading in readings if rule.where.accepts_pool(reading.pool))
    above = [reading for reading in readings if reading.occupancy >= level]
    rest = 0 if rule.where.names_pools else sum(one.remainder.pools for one in snapshot.namespaces)
    return Totals(len(above), len(readings) + rest if pools is None else pools, frozenset(_backends(above)))


def _backends(above: Iterable[Reading]) -> Iterator[Endpoint]:
    """Each host has a 127.0.0.1 of its own: what many press on under that name is not one backend."""
    for one in above:
        if one.pool.kind is Kind.CONNECT and not is_host_local(one.pool.peer):
            yield one.pool.peer, one.pool.peer_port


def settings_in(snapshot: Snapshot) -> tuple[object, ...] | None:
    """DRIFTING, of the agent's own namespace; None where it is not known."""
    if not snapshot.namespaces:
        return None
    own = snapshot.namespaces[0]
    return (str(own.port_range), own.reserved, own.settings.get("tcp_tw_reuse"))


def survey(rule: Rule, known: Mapping[str, Summary], silent: Mapping[str, Summary]) -> Iterator[Surveyed]:
    """Every subject of this rule and its value. Hosts by name: those heard of now, and the last word of the silent."""
    heard = [(one, one.totals[rule.name]) for one in known.values() if rule.name in one.totals]
    last = [(one, one.totals[rule.name]) for one in silent.values() if rule.name in one.totals]
    if rule.measure is PRESSED:
        yield from _pressed(heard, last)
    elif rule.scope is Scope.FLEET:
        members = [[totals for _, totals in group] for group in (heard, last)]
        yield _risen_everywhere(_share(Subject(Scope.FLEET), *members), *members)
    else:
        for role in sorted({one.place.role for one, _ in [*heard, *last]}):
            members = [[totals for one, totals in group if one.place.role == role] for group in (heard, last)]
            yield _share(Subject(Scope.ROLE, role), *members)


def _risen_everywhere(seen: Surveyed, heard: Sequence[Totals], last: Sequence[Totals]) -> Surveyed:
    """The share as far as it may be, or is, of LEAST_OF_A_FLEET hosts; else none."""
    sure = sum(one.above > 0 for one in heard)
    most = sure + sum(one.pools > 0 for one in last)
    if seen.span is None or sure >= LEAST_OF_A_FLEET:
        return seen
    return replace(seen, span=Span(0.0, seen.span.high if most >= LEAST_OF_A_FLEET else 0.0))


def _pressed(heard: Sequence[tuple[Summary, Totals]], last: Sequence[tuple[Summary, Totals]]) -> Iterator[Surveyed]:
    sure = Counter(endpoint for _, totals in heard for endpoint in totals.pressed)
    maybe = Counter(endpoint for _, totals in last for endpoint in totals.pressed)
    for endpoint in sorted(sure.keys() | maybe.keys()):
        low, most = sure[endpoint], sure[endpoint] + maybe[endpoint]
        yield Surveyed(of_peer(*endpoint), Span(low, most), {"hosts": low, "hosts_silent": maybe[endpoint]})


def _share(subject: Subject, heard: Sequence[Totals], last: Sequence[Totals]) -> Surveyed:
    above, pools = sum(one.above for one in heard), sum(one.pools for one in heard)
    dark = sum(one.pools for one in last)
    facts = {"pools_above": above, "pools": pools, "pools_unknown": dark}
    if pools + dark == 0:
        return Surveyed(subject, Span(0.0, 0.0) if heard else None, facts)
    return Surveyed(subject, Span(above / (pools + dark), (above + dark) / (pools + dark)), facts)


def drifters(known: Mapping[str, Summary]) -> dict[str, dict[str, Any]]:
    """Hosts whose settings differ from what more than half of their role have, with both, by host."""
    by_role: dict[str, list[Summary]] = defaultdict(list)
    for one in known.values():
        if one.place.role and one.settings is not None:
            by_role[one.place.role].append(one)
    found = {}
    for members in by_role.values():
        usual, count = Counter(one.settings for one in members).most_common(1)[0]
        if len(members) < LEAST_OF_A_ROLE or count * 2 <= len(members):
            continue
        for one in members:
            if one.settings != usual:
                found[one.place.host] = _difference(one.settings or (), usual or ())
    return found


def _difference(mine: Sequence[object], usual: Sequence[object]) -> dict[str, Any]:
    return {
        name: {"here": here, "role": there}
        for name, here, there in zip(DRIFTING, mine, usual, strict=True)
        if here != there
    }
