"""What was seen of a subject, in words. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from shared.model import Evidence, Namespace, Reading

HOST_NAMESPACE = "host"
"""How agents call the namespace they run in; naming it in every sentence would tell nobody anything."""


def duration(ms: int) -> str:
    """`40 s`, `12 min`, `3 h`, `2 d`: two digits are enough."""
    seconds = max(0, ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def describe(case: Case) -> str:
    """What was seen of the subject, in one sentence."""
    pool, reading = case.subject.pool, case.seen.reading
    if pool is None or reading is None:
        return f"{case.subject} {_facts(case)}"
    netns = "" if pool.netns == HOST_NAMESPACE else f" (netns {pool.netns})"
    owner = f", held by {reading.owner}" if reading.owner else ""
    failed = f", {reading.failures:,} connect() failed" if reading.failures else ""
    return f"{case.subject} {holding(case.seen, reading)}{failed}{netns}{owner}"


def quoted(one: Evidence) -> str:
    """`haproxy logged “no free ports” 12 times, last 03:12:09 UTC`."""
    times = "once," if one.count == 1 else f"{one.count:,} times, last"
    return f"{one.program} logged “{one.text}” {times} {clock(one.last_at_ms)}"


def clock(at_ms: int) -> str:
    """`03:12:09 UTC`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S UTC")


def holding(seen: Observation, reading: Reading) -> str:
    """`holds 255 of 300 ports (85 %), 45 left`."""
    most = "at most " if seen.is_bound else ""
    ports = f"{most}{reading.held:,} of {reading.capacity:,} ports ({_percent(reading.held, reading.capacity)} %)"
    return f"holds {ports}, {_span(reading.headroom_min, reading.headroom_max)} left"


def sums(reading: Reading, namespace: Namespace | None) -> str:
    """`32768–60999: 28,232 − 16 reserved − 16 blocked = 28,200; held 24,512 = ESTABLISHED 22,104 + TIME_WAIT 2,408`.

    Only what adds up to what the reading says: of other kinds of pools a namespace's ports are not all.
    """
    said = [_capacity(reading.capacity, namespace)] if namespace and namespace.capacity == reading.capacity else []
    if reading.states:
        parts = [f"{state.name} {count:,}" for state, count in sorted(reading.states.items(), key=lambda one: -one[1])]
        rest = reading.held - sum(reading.states.values())
        parts += [f"bound without a connection {rest:,}"] if rest > 0 else []
        said.append(f"held {reading.held:,} = {' + '.join(parts)}")
    return "; ".join(said)


def _capacity(capacity: int, space: Namespace) -> str:
    taken = f"− {space.reserved:,} reserved − {space.blocked:,} blocked"
    return f"{space.port_range}: {len(space.port_range):,} {taken} = {capacity:,}"


def _facts(case: Case) -> str:
    facts = case.seen.facts
    match case.subject.scope:
        case Scope.PEER:
            return f"is pressed by {facts.get('hosts', 0):,} hosts"
        case Scope.ROLE | Scope.FLEET:
            return f"has {facts.get('pools_above', 0):,} of {facts.get('pools', 0):,} pools above the level"
        case Scope.CHANNEL:
            return f"has not taken a notice for {facts.get('failing_for_s', 0)} s"
        case Scope.ROLLOUT:
            return f"has halted: {facts['why']}" if "why" in facts else "is not halted any more"
    return _doubts(facts) or _of_host(facts)


def _of_host(facts: Mapping[str, Any]) -> str:
    if "settings" in facts:
        return "differs from its role: " + _differences(facts["settings"]) if facts["settings"] else "is like its role"
    if "failure" in facts:
        return f"cannot sample: {facts['failure']}" if facts["failure"] else "samples"
    return f"was last heard of {duration(1000 * facts.get('silent_for_s', 0))} ago"


def _doubts(facts: Mapping[str, Any]) -> str:
    """Whether it is one machine, and its clock right; empty where neither was asked."""
    if "contested" in facts:
        by_turns = "two machines or agents report under this name; give each its own `host` and its own spool"
        return f"is contested: {by_turns}" if facts["contested"] else "is one machine"
    return _clock_of(facts["skew_s"]) if "skew_s" in facts else ""


def _clock_of(skew_s: float) -> str:
    if not skew_s:
        return "has a clock that is right"
    return (
        f"has a clock {duration(round(abs(skew_s) * 1000))} {'ahead' if skew_s > 0 else 'behind'}; is its NTP running?"
    )


def _differences(settings: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{name} is {one['here']}, not {one['role']}" for name, one in settings.items())


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _percent(held: int, capacity: int) -> str:
    # Rounded down: 100 % means that nothing is left, never nearly nothing.
    tenths = min(1000, held * 1000 // capacity) if capacity else 1000
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
