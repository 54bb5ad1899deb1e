"""What the last minutes of a pool tell: how fast it fills, what changed, was logged, and what to do about it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collector.alerts.observe import observe
from shared.advice import Option, Situation, options
from shared.model import Evidence, Namespace, Pool, Reading, Snapshot
from shared.ports import PortSettings

LEAST_SHARE = 0.05
"""A state that grew by less than this share of the capacity explains nothing."""
SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """The pool's reading in one snapshot."""

    at_ms: int
    reading: Reading
    snapshot: Snapshot


def follow(snapshots: Sequence[tuple[int, Snapshot]], pool: Pool) -> list[Seen]:
    """The pool through these snapshots, (when taken in ms, snapshot), oldest first; those that cannot tell left out."""
    found = ((at_ms, snapshot, observe(snapshot, pool)) for at_ms, snapshot in snapshots)
    return [
        Seen(at_ms, seen.reading, snapshot)
        for at_ms, snapshot, seen in found
        if seen and seen.reading and not seen.is_bound
    ]


def rate_per_s(trail: Sequence[Seen]) -> float | None:
    """Ports held more each second, from the first to the last; None where there are not two."""
    if len(trail) < 2 or trail[-1].at_ms - trail[0].at_ms < SECOND_MS:  # noqa: PLR2004 - a slope needs two
        return None
    passed_s = (trail[-1].at_ms - trail[0].at_ms) / 1000
    return round((trail[-1].reading.held - trail[0].reading.held) / passed_s, 2)


def changes(trail: Sequence[Seen]) -> tuple[str, ...]:
    """What is not as it was: the state that grew most, and settings."""
    if len(trail) < 2:  # noqa: PLR2004 - before and after
        return ()
    first, last = trail[0], trail[-1]
    passed = f"in {(last.at_ms - first.at_ms) // 1000} s"
    return (*_grown(first.reading, last.reading, passed), *_set(first, last))


def fixes(trail: Sequence[Seen]) -> tuple[Option, ...]:
    """What to do about the pool as it was seen last, best first."""
    if not trail:
        return ()
    last, namespace = trail[-1], namespace_of(trail)
    if namespace is None:
        return ()
    settings = PortSettings(namespace.port_range, frozenset(), namespace.settings)
    return tuple(options(Situation(reading=last.reading, settings=settings)))


def namespace_of(trail: Sequence[Seen]) -> Namespace | None:
    """The pool's, as it was reported last."""
    last = trail[-1] if trail else None
    return _namespace(last) if last else None


def logged(snapshots: Sequence[Snapshot], pool: Pool | None) -> tuple[Evidence, ...]:
    """What applications logged of the pool, the same words counted together; None: what is of no pool for sure."""
    found: dict[tuple[str, str], Evidence] = {}
    for one in (said for snapshot in snapshots for said in snapshot.evidence if said.pool == pool):
        before = found.setdefault((one.program, one.text), replace(one, count=0))
        last_at_ms = max(before.last_at_ms, one.last_at_ms)
        found[one.program, one.text] = replace(one, count=before.count + one.count, last_at_ms=last_at_ms)
    return tuple(sorted(found.values(), key=lambda one: -one.last_at_ms))


def _grown(first: Reading, last: Reading, passed: str) -> list[str]:
    growth = {state: count - first.states.get(state, 0) for state, count in last.states.items()}
    state = max(growth, key=lambda one: growth[one], default=None)
    if state is None or growth[state] < LEAST_SHARE * max(1, last.capacity):
        return []
    return [f"{state.name} rose from {first.states.get(state, 0):,} to {last.states[state]:,} {passed}"]


def _set(first: Seen, last: Seen) -> list[str]:
    before, after = _settings(first), _settings(last)
    moved = [name for name in after if before.get(name) != after[name]]
    said = [f"{name} was {before.get(name)}, is {after[name]}" for name in moved]
    if first.snapshot.boot_id != last.snapshot.boot_id:
        said.append("the host was restarted")
    return said


def _namespace(seen: Seen) -> Namespace | None:
    return next((one for one in seen.snapshot.namespaces if one.name == seen.reading.pool.netns), None)


def _settings(seen: Seen) -> Mapping[str, object]:
    namespace = _namespace(seen)
    if namespace is None:
        return {}
    return {
        "ip_local_port_range": str(namespace.port_range),
        "reserved ports": namespace.reserved,
        **namespace.settings,
    }
