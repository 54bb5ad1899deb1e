"""One rule on one subject, one observation further: the state machine of an alert. Pure.

    ok ──hot──▶ pending ──held long enough──▶ firing ──calm long enough──▶ ok
     any state ──no data──▶ unknown ──data──▶ where it belongs
     any state ──its host is forgotten, or its namespace has ended──▶ gone

No data neither resolves nor hides: an alert that was firing stays due (`fired_ms`) while unknown, and goes on firing
without a second notice when data comes back. Hold and keep times, though, have to be earned anew: heat nobody saw is no
heat, and calm nobody saw is no calm.

What is known may be a span, not a number. It is hot when all of it is, calm when all of it is, and unknown where the
answer depends on the rest.
"""

from dataclasses import dataclass
from enum import StrEnum

from collector.alerts.rules import Rule

FLAP_FORGET_MS = 20 * 60_000
"""A firing is forgotten as a flap after twenty minutes: three within the hour are flapping."""
FLAPS_FREE = 2
FLAP_KEEP_MS = 60_000
"""How long the third firing must be calm before it is taken back; each further one twice as long, up to the most."""
FLAP_KEEP_MOST_MS = 30 * 60_000


class AlertState(StrEnum):
    """Where an alert stands."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    UNKNOWN = "unknown"
    GONE = "gone"
    """Its host was forgotten, or its namespace has ended: nobody knows how it is, and nobody is to wait for it."""


class Told(StrEnum):
    """What a transition makes people hear."""

    FIRING = "firing"
    RESOLVED = "resolved"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a value: it is neither below `low` nor above `high`."""

    low: float
    high: float

    def turned(self) -> "Span":
        """The same on the negated axis."""
        return Span(-self.high, -self.low)


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one rule on one subject. Times are ms of receive time."""

    state: AlertState = AlertState.OK
    since_ms: int = 0
    """When `state` began."""
    hot_since_ms: int | None = None
    """Since when the subject has been at `raise_at` or worse without a break; of a firing alert, before it fired."""
    fired_ms: int | None = None
    """When it began to fire; None once it was calm again."""
    calm_since_ms: int | None = None
    """Since when a firing alert has been calm without a break."""
    flaps: int = 0
    """How often it fired lately, a firing forgotten every FLAP_FORGET_MS."""
    last_fired_ms: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state. `told` is None where nobody needs to hear of it."""

    before: AlertState
    after: AlertState
    at_ms: int
    told: Told | None = None
    fired_ms: int | None = None
    """When the firing that is told, or was told before, began."""


def step(rule: Rule, alert: Alert, seen: Span | None, now_ms: int) -> tuple[Alert, Transition | None]:
    """What `alert` becomes on seeing this of its subject (None: no data) at `now_ms`; the change of state, if any."""
    if seen is None:
        return _unknown(alert, now_ms)
    span = seen.turned() if rule.measure.is_below else seen
    return _still_firing(rule, alert, span, now_ms) if alert.fired_ms is not None else _calm(rule, alert, span, now_ms)


def close(alert: Alert, now_ms: int) -> tuple[Alert, Transition | None]:
    """What `alert` becomes when its rule is no longer watched: people told that it fires are told that it is over."""
    return _resolved(alert, now_ms)


def forget(alert: Alert, now_ms: int) -> tuple[Alert, Transition]:
    """What `alert` becomes when its host, or its namespace, is no more: over, which is not to say that all is well."""
    told = None if alert.fired_ms is None else Told.FORGOTTEN
    return Alert(AlertState.GONE, now_ms), Transition(alert.state, AlertState.GONE, now_ms, told, alert.fired_ms)


def keep_needed_ms(rule: Rule, alert: Alert) -> int:
    """How long this alert must be calm before it resolves: longer for one that keeps coming back."""
    if alert.flaps <= FLAPS_FREE:
        return rule.keep_ms
    damped_ms = FLAP_KEEP_MS << min(alert.flaps - FLAPS_FREE - 1, 16)
    return max(rule.keep_ms, min(damped_ms, FLAP_KEEP_MOST_MS))


def _calm(rule: Rule, alert: Alert, span: Span, now_ms: int) -> tuple[Alert, Transition | None]:
    raise_at, _ = rule.levels
    if span.high < raise_at:
        return _moved(alert, AlertState.OK, now_ms)
    if span.low < raise_at:
        return _unknown(alert, now_ms)
    hot_since_ms = now_ms if alert.hot_since_ms is None else alert.hot_since_ms
    if now_ms - hot_since_ms < rule.hold_ms:
        return _moved(alert, AlertState.PENDING, now_ms, hot_since_ms=hot_since_ms)
    flaps = max(0, alert.flaps - max(0, now_ms - alert.last_fired_ms) // FLAP_FORGET_MS) + 1
    fired = Alert(AlertState.FIRING, now_ms, hot_since_ms, now_ms, None, flaps, now_ms)
    return fired, Transition(alert.state, AlertState.FIRING, now_ms, Told.FIRING, now_ms)


def _still_firing(rule: Rule, alert: Alert, span: Span, now_ms: int) -> tuple[Alert, Transition | None]:
    _, clear_at = rule.levels
    if span.low >= clear_at:
        return _moved(alert, AlertState.FIRING, now_ms, hot_since_ms=alert.hot_since_ms, fired_ms=alert.fired_ms)
    if span.high >= clear_at:
        return _unknown(alert, now_ms)
    calm_since_ms = now_ms if alert.calm_since_ms is None else alert.calm_since_ms
    if now_ms - calm_since_ms >= keep_needed_ms(rule, alert):
        return _resolved(alert, now_ms)
    return _moved(
        alert,
        AlertState.FIRING,
        now_ms,
        hot_since_ms=alert.hot_since_ms,
        fired_ms=alert.fired_ms,
        calm_since_ms=calm_since_ms,
    )


def _unknown(alert: Alert, now_ms: int) -> tuple[Alert, Transition | None]:
    hot_since_ms = alert.hot_since_ms if alert.fired_ms is not None else None
    return _moved(alert, AlertState.UNKNOWN, now_ms, hot_since_ms=hot_since_ms, fired_ms=alert.fired_ms)


def _resolved(alert: Alert, now_ms: int) -> tuple[Alert, Transition | None]:
    moved, transition = _moved(alert, AlertState.OK, now_ms)
    if transition is None or alert.fired_ms is None:
        return moved, transition
    told = Transition(transition.before, transition.after, now_ms, Told.RESOLVED, alert.fired_ms)
    return moved, told


def _moved(  # noqa: PLR0913 - the fields of the value it makes
    alert: Alert,
    state: AlertState,
    now_ms: int,
    *,
    hot_since_ms: int | None = None,
    fired_ms: int | None = None,
    calm_since_ms: int | None = None,
) -> tuple[Alert, Transition | None]:
    since_ms = alert.since_ms if state is alert.state else now_ms
    moved = Alert(state, since_ms, hot_since_ms, fired_ms, calm_since_ms, alert.flaps, alert.last_fired_ms)
    if state is alert.state:
        return moved, None
    return moved, Transition(alert.state, state, now_ms, None, alert.fired_ms)
