"""What the page says of each thing, in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.step import AlertState
from collector.alerts.subject import Subject, alert_key
from collector.alerts.words import HOST_NAMESPACE, describe, duration
from collector.fleet.host import Host, PoolNow, Presence
from collector.web.heat import Spark
from collector.web.links import backend_link, host_link, pool_link
from shared.addresses import format_endpoint
from shared.model import Kind, Pool, Reading
from shared.tcp import State

HOT, WARM = 0.85, 0.50
"""Where the page's colours change; the rules decide what is told."""
MOST_FORETOLD_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class HostRow:
    """One line of the table of hosts."""

    name: str
    link: str
    role: str
    state: str
    detail: str
    received: str
    missing: str
    version: str
    seen_ms: int


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One line of the table of pools."""

    host: str
    host_link: str
    pool: str
    link: str
    backend_link: str
    """Empty for a pool of all destinations."""
    netns: str
    kind: str
    heat: str
    occupancy: float
    percent: str
    held: str
    capacity: str
    left: str
    states: str
    owner: str
    failures: str
    time_left: str
    taken_ms: int
    spark: Spark | None = None
    """Its last 24 hours, where they were asked for."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One line of the list of alerts."""

    state: str
    severity: str
    rule: str
    host: str
    pool: str
    """Empty where it is about no pool."""
    link: str
    """Where its subject is shown; empty where there is no such view."""
    detail: str
    since_ms: int
    key: str


def describe_host(host: Host, now_ms: int) -> HostRow:
    """What it does, or since when it does not."""
    presence = host.presence(now_ms)
    detail = {
        Presence.REPORTING: f"{ago(host.latest_received_ms, now_ms)} ago",
        Presence.SILENT: f"unknown: nothing received for {ago(host.latest_received_ms, now_ms)}",
        Presence.BLIND: f"unknown: it cannot sample: {host.failure}",
        Presence.FORGOTTEN: f"forgotten; nothing received for {ago(host.latest_received_ms, now_ms)}",
    }[presence]
    return HostRow(
        name=host.name,
        link=host_link(host.name),
        role=host.role or "–",
        state=presence.value,
        detail=detail,
        received=f"{host.received:,}",
        missing=f"{host.missing:,}",
        version=host.agent_version or "–",
        seen_ms=host.latest_received_ms,
    )


def describe_pool(item: PoolNow, spent_in_s: float | None = None) -> PoolRow:
    """Its last reading; without colour where it may not be believed now. `spent_in_s` as an alert foretells it."""
    reading, pool = item.reading, item.reading.pool
    return PoolRow(
        host=item.host,
        host_link=host_link(item.host),
        pool=str(pool),
        link=pool_link(item.host, pool),
        backend_link=backend_link(format_endpoint(pool.peer, pool.peer_port)) if pool.kind is Kind.CONNECT else "",
        netns=pool.netns,
        kind=pool.kind.value,
        heat=heat_of(reading.occupancy) if item.is_current else "unknown",
        occupancy=round(reading.occupancy, 4),
        percent=f"{int(reading.occupancy * 100)} %",
        held=f"{reading.held:,}",
        capacity=f"{reading.capacity:,}",
        left=_left(reading),
        states=_states(reading.states),
        owner=reading.owner or "–",
        failures=f"{reading.failures:,}" if reading.failures else "–",
        time_left=time_left(reading, spent_in_s) if item.is_current else "unknown",
        taken_ms=item.taken_at_ms,
    )


def describe_alert(case: Case, now_ms: int) -> AlertRow:
    """Where it stands, and what was last seen."""
    reading = case.seen.reading
    was = " (was firing)" if case.alert.state is AlertState.UNKNOWN and case.alert.fired_ms is not None else ""
    last = "last seen " if case.alert.state is AlertState.UNKNOWN else ""
    what = f"{reading.held:,} of {reading.capacity:,} ports held, {_left(reading)} left" if reading else describe(case)
    detail = f"for {ago(case.alert.since_ms, now_ms)}{was}, {last}{what}{_end(case)}"
    if reading and reading.owner:
        detail += f", held by {reading.owner}"
    pool = _named(case.subject.pool) if case.subject.pool else ""
    return AlertRow(
        state=case.alert.state.value,
        severity=case.severity,
        rule=case.rule,
        host=case.subject.name or "the fleet",
        pool=pool,
        link=subject_link(case.subject),
        detail=detail,
        since_ms=case.alert.since_ms,
        key=alert_key(case.rule, case.subject),
    )


def _end(case: Case) -> str:
    """When it will be spent, as far as that is foretold now."""
    if case.alert.state is AlertState.UNKNOWN or case.seen.reading is None or case.seen.forecast is None:
        return ""
    words = time_left(case.seen.reading, case.seen.forecast.seconds)
    return f", spent in {words}" if words.startswith("about") else ""


def subject_link(subject: Subject) -> str:
    """Where the page shows it; empty where it has no view of its own."""
    if subject.pool is not None:
        return pool_link(subject.name, subject.pool)
    if subject.scope is Scope.ROLLOUT:
        return "/rollout"
    link = {Scope.HOST: host_link, Scope.PEER: backend_link}.get(subject.scope)
    return link(subject.name) if link else ""


def time_left(reading: Reading, spent_in_s: float | None) -> str:
    """`none`, `about 9 min`, or a dash where nothing foretells an end."""
    if reading.headroom_max == 0:
        return "none"
    return "–" if spent_in_s is None or spent_in_s > MOST_FORETOLD_S else f"about {duration(round(spent_in_s * 1000))}"


def heat_of(occupancy: float) -> str:
    """`calm`, `warm` or `hot`."""
    return "hot" if occupancy >= HOT else "warm" if occupancy >= WARM else "calm"


def ago(at_ms: int, now_ms: int) -> str:
    """How long since, in the largest unit that gives a number: `8 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0, now_ms - at_ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _named(pool: Pool) -> str:
    return str(pool) if pool.netns == HOST_NAMESPACE else f"{pool} (netns {pool.netns})"


def _left(reading: Reading) -> str:
    low, high = reading.headroom_min, reading.headroom_max
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _states(states: Mapping[State, int]) -> str:
    ordered = sorted(states.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{state.name} {count:,}" for state, count in ordered)
