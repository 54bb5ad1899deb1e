"""One rule on one pool, one observation further: the state machine of an alert. Pure.

    ok ──hot──▶ pending ──held long enough──▶ firing ──below clear_at──▶ ok
     any state ──no data──▶ unknown ──data──▶ where it belongs

No data neither resolves nor hides: an alert that was firing stays due (`fired_ms`) while unknown, and goes on firing
without a second notice when data comes back. A hold time, though, has to be earned anew: heat nobody saw is no heat.
"""

from dataclasses import dataclass
from enum import StrEnum

from collector.alerts.observe import Observation
from collector.alerts.rules import Rule


class AlertState(StrEnum):
    """Where an alert stands."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    UNKNOWN = "unknown"


class Told(StrEnum):
    """What a transition makes people hear."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one rule on one pool. Times are ms of receive time."""

    state: AlertState = AlertState.OK
    since_ms: int = 0
    """When `state` began."""
    hot_since_ms: int | None = None
    """Since when the pool has been at or above `raise_at` without a break."""
    fired_ms: int | None = None
    """When people were told that it fires; None once they were told that it is over."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state. `told` is None where nobody needs to hear of it."""

    before: AlertState
    after: AlertState
    at_ms: int
    told: Told | None = None
    fired_ms: int | None = None
    """When the firing that is told, or was told before, began."""


def step(rule: Rule, alert: Alert, observation: Observation | None, now_ms: int) -> tuple[Alert, Transition | None]:
    """What `alert` becomes on seeing `observation` (None: no data) at `now_ms`, and the change of state, if any."""
    if observation is None or not _is_conclusive(rule, observation):
        return _moved(alert, AlertState.UNKNOWN, now_ms, fired_ms=alert.fired_ms)
    occupancy = observation.reading.occupancy
    if alert.fired_ms is not None:
        if occupancy < rule.clear_at:
            return _moved(alert, AlertState.OK, now_ms, told=Told.RESOLVED)
        return _moved(alert, AlertState.FIRING, now_ms, hot_since_ms=alert.hot_since_ms, fired_ms=alert.fired_ms)
    if occupancy < rule.raise_at:
        return _moved(alert, AlertState.OK, now_ms)
    hot_since_ms = now_ms if alert.hot_since_ms is None else alert.hot_since_ms
    if now_ms - hot_since_ms < rule.hold_ms:
        return _moved(alert, AlertState.PENDING, now_ms, hot_since_ms=hot_since_ms)
    return _moved(alert, AlertState.FIRING, now_ms, hot_since_ms=hot_since_ms, fired_ms=now_ms, told=Told.FIRING)


def close(alert: Alert, now_ms: int) -> tuple[Alert, Transition | None]:
    """What `alert` becomes when its rule is no longer watched: people told that it fires are told that it is over."""
    told = None if alert.fired_ms is None else Told.RESOLVED
    return _moved(alert, AlertState.OK, now_ms, told=told)


def _is_conclusive(rule: Rule, observation: Observation) -> bool:
    # An upper bound can prove that a pool is calm, never that it is hot.
    return not observation.is_bound or observation.reading.occupancy < rule.clear_at


def _moved(  # noqa: PLR0913 - the fields of the two values it makes
    alert: Alert,
    state: AlertState,
    now_ms: int,
    *,
    hot_since_ms: int | None = None,
    fired_ms: int | None = None,
    told: Told | None = None,
) -> tuple[Alert, Transition | None]:
    if state is alert.state:
        return Alert(state, alert.since_ms, hot_since_ms, fired_ms), None
    transition = Transition(alert.state, state, now_ms, told, alert.fired_ms if fired_ms is None else fired_ms)
    return Alert(state, now_ms, hot_since_ms, fired_ms), transition
