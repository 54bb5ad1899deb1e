"""What a snapshot says of one pool, listed in it or not, and what a condition makes of that. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.alerts.conditions import FAILURES, HEADROOM, KNEE, OCCUPANCY, SPENT_SOON, Condition
from collector.alerts.step import Span
from shared.model import Namespace, Pool, Reading, Snapshot

NEVER_SPENT = Span(math.inf, math.inf)
USAGE_FLOOR = 0.25
"""Below a quarter no forecast is worth a person's time: three quarters of the ports are free now."""
NO_KNEE_BELOW = 0.25
"""Half of the range must be held before no port is left at an even offset, reserved and blocked ones counted in."""
YES, NO = Span(1.0, 1.0), Span(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds until the pool is spent if it goes on (infinite: it never is), and the trend in ports a second."""

    seconds: float
    rate_per_s: float


class Filling(NamedTuple):
    """A report as it came: its pools, and of each the ports held and the capacity, as packed little-endian u16."""

    pools: Sequence[Pool]
    held: bytes
    capacity: bytes

    def held_by(self, pool: Pool) -> int | None:
        """What the pool held; None where it was less than a quarter full, or not there."""
        try:
            at = 2 * self.pools.index(pool)
        except ValueError:
            return None
        held, capacity = (int.from_bytes(column[at : at + 2], "little") for column in (self.held, self.capacity))
        return held if held >= USAGE_FLOOR * capacity else None


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a subject: a pool's reading, or the facts of anything else.

    With `is_bound`, `held` is only known not to be exceeded, because the pool was not listed. A forecast of None is
    unknown.
    """

    reading: Reading | None = None
    is_bound: bool = False
    forecast: Forecast | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def measure(condition: Condition, seen: Observation) -> Span | None:
    """The condition's value in this observation of a pool; None: unknown."""
    return _MEASURES[condition.name](seen.reading, seen) if seen.reading else None


def _occupancy(reading: Reading, seen: Observation) -> Span:
    return Span(0.0 if seen.is_bound else reading.occupancy, reading.occupancy)


def _headroom(reading: Reading, _seen: Observation) -> Span:
    return Span(reading.headroom_min, reading.headroom_max)


def _failures(reading: Reading, seen: Observation) -> Span | None:
    return None if seen.is_bound else Span(reading.failures, reading.failures)


def _knee(reading: Reading, seen: Observation) -> Span | None:
    if seen.is_bound or reading.knee is None:
        return NO if reading.occupancy < NO_KNEE_BELOW else None
    return YES if reading.knee else NO


def _spent(reading: Reading, seen: Observation) -> Span | None:
    if reading.occupancy < USAGE_FLOOR:
        return NEVER_SPENT
    return Span(seen.forecast.seconds, seen.forecast.seconds) if seen.forecast else None


_MEASURES: Mapping[str, Callable[[Reading, Observation], Span | None]] = {
    OCCUPANCY.name: _occupancy,
    HEADROOM.name: _headroom,
    FAILURES.name: _failures,
    KNEE.name: _knee,
    SPENT_SOON.name: _spent,
}


def observe(snapshot: Snapshot, pool: Pool) -> Observation | None:
    """The pool in this snapshot; None where the snapshot cannot tell: it failed, or has no such namespace."""
    listed = next((reading for reading in snapshot.readings if reading.pool == pool), None)
    return Observation(listed) if listed else infer_unlisted(snapshot, pool)


def infer_unlisted(snapshot: Snapshot, pool: Pool) -> Observation | None:
    """What is known of a pool that the snapshot does not list: the remainder of its namespace bounds it."""
    if snapshot.failure is not None:
        return None
    namespace = next((item for item in snapshot.namespaces if item.name == pool.netns), None)
    return _bounded(namespace, pool) if namespace else None


def _bounded(namespace: Namespace, pool: Pool) -> Observation:
    if namespace.remainder.pools == 0:
        return Observation(Reading(pool, 0, namespace.capacity, namespace.capacity, namespace.capacity))
    most, capacity = min(namespace.remainder.max_held, namespace.capacity), namespace.capacity
    return Observation(Reading(pool, most, capacity, capacity - most, capacity), is_bound=True)
