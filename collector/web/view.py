"""What the page says of each thing, in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.alerts.evaluate import Case
from collector.alerts.step import AlertState
from collector.alerts.words import HOST_NAMESPACE, describe
from collector.fleet.host import Host, Presence
from collector.fleet.pools import PoolNow
from shared.model import Pool, Reading
from shared.tcp import State

HOT, WARM = 0.85, 0.50
"""Where the page's colours change; the rules decide what is told."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """One line of the table of hosts."""

    name: str
    role: str
    state: str
    detail: str
    received: str
    missing: str


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One line of the table of pools."""

    host: str
    pool: str
    netns: str
    heat: str
    occupancy: float
    percent: str
    held: str
    capacity: str
    left: str
    states: str
    owner: str
    failures: str


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One line of the list of alerts."""

    state: str
    severity: str
    host: str
    pool: str
    detail: str


def describe_host(host: Host, now_ms: int) -> HostRow:
    """What it does, or since when it does not."""
    presence = host.presence(now_ms)
    detail = {
        Presence.REPORTING: f"{ago(host.latest_received_ms, now_ms)} ago",
        Presence.SILENT: f"unknown: nothing received for {ago(host.latest_received_ms, now_ms)}",
        Presence.BLIND: f"unknown: it cannot sample: {host.failure}",
    }[presence]
    return HostRow(host.name, host.role or "–", presence.value, detail, f"{host.received:,}", f"{host.missing:,}")


def describe_pool(item: PoolNow) -> PoolRow:
    """Its last reading; without colour where it may not be believed now."""
    reading = item.reading
    return PoolRow(
        host=item.host,
        pool=str(reading.pool),
        netns=reading.pool.netns,
        heat=heat_of(reading.occupancy) if item.is_current else "unknown",
        occupancy=round(reading.occupancy, 4),
        percent=f"{int(reading.occupancy * 100)} %",
        held=f"{reading.held:,}",
        capacity=f"{reading.capacity:,}",
        left=_left(reading),
        states=_states(reading.states),
        owner=reading.owner or "–",
        failures=f"{reading.failures:,}" if reading.failures else "–",
    )


def describe_alert(case: Case, now_ms: int) -> AlertRow:
    """Where it stands, and what was last seen."""
    reading = case.seen.reading
    was = " (was firing)" if case.alert.state is AlertState.UNKNOWN and case.alert.fired_ms is not None else ""
    last = "last seen " if case.alert.state is AlertState.UNKNOWN else ""
    what = f"{reading.held:,} of {reading.capacity:,} ports held, {_left(reading)} left" if reading else describe(case)
    detail = f"for {ago(case.alert.since_ms, now_ms)}{was}, {last}{what}"
    pool = _named(case.subject.pool) if case.subject.pool else case.rule
    return AlertRow(case.alert.state.value, case.severity, case.subject.name or "the fleet", pool, detail)


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
