"""All rules on one host, one snapshot (or one silence) further. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.alerts.conditions import FAILURES, HEADROOM, KNEE, OCCUPANCY, SPENT_SOON, Scope
from collector.alerts.observe import USAGE_FLOOR, Filling, Forecast, Observation, infer_unlisted, measure
from collector.alerts.rules import Rule
from collector.alerts.step import FLAP_FORGET_MS, Alert, AlertState, Span, Transition, close, forget, step
from collector.alerts.subject import Subject, of_pool
from collector.alerts.where import Place
from shared.model import Pool, Reading, Snapshot

Key = tuple[str, Subject]
"""(name of the rule, subject): what an alert is about."""
Foresee = Callable[[str, Reading, int], Forecast | None]
"""What is foretold of a pool: (host, its reading, receive time in ms) to a forecast; None: unknown."""
Note = Callable[[str, Filling, int], None]
"""Tells of a report with pools of which nothing is foretold yet: (host, the report, receive time in ms)."""


def foresee_nothing(_host: str, _reading: Reading, _now_ms: int) -> Forecast | None:
    """Where nobody forecasts, every forecast is unknown."""
    return None


def note_nothing(_host: str, _filling: Filling, _now_ms: int) -> None:
    """As foresee_nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule on one subject: where its alert stands, and what was last known.

    Only subjects that were hot once have a case; every other is ok for as long as its host reports.
    """

    rule: str
    severity: str
    subject: Subject
    alert: Alert = field(default_factory=Alert)
    seen: Observation
    seen_ms: int
    role: str = ""
    """Of its host, when it was last seen."""

    @property
    def key(self) -> Key:
        """What names it."""
        return (self.rule, self.subject)

    @property
    def is_resting(self) -> bool:
        """Whether it says nothing that matters to anybody."""
        return self.alert.state in {AlertState.OK, AlertState.GONE}

    def is_forgettable(self, now_ms: int) -> bool:
        """Whether it rests for so long that not even a flap is remembered."""
        return self.is_resting and now_ms - self.alert.last_fired_ms > self.alert.flaps * FLAP_FORGET_MS

    def moved(self, alert: Alert, seen: Observation | None, now_ms: int) -> "Case":
        """With its alert as it is now; what was seen last is kept where nothing was seen."""
        if seen is None:
            return replace(self, alert=alert)
        return replace(self, alert=alert, seen=seen, seen_ms=now_ms)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case as it stands now, and the change of state that brought it there, if any."""

    case: Case
    transition: Transition | None
    must_write: bool = False
    """Whether the state machine moved, though nobody sees it: a keep time began, or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one host showed: `snapshot` is None where it is silent or cannot be read."""

    place: Place
    snapshot: Snapshot | None
    now_ms: int
    foresee: Foresee = foresee_nothing


def judge(rules: Sequence[Rule], cases: Mapping[Key, Case], sight: Sight) -> list[Verdict]:
    """Every case about a pool of this host that is not as it was. `cases` are those of this host."""
    watched = [rule for rule in rules if rule.scope is Scope.POOL and rule.where.accepts_place(sight.place)]
    verdicts = [*_retired(watched, cases, sight.now_ms), *_watched(watched, cases, sight)]
    return [verdict for verdict in verdicts if is_news(cases.get(verdict.case.key), verdict)]


def verdict_on(rule: Rule, case: Case, seen: Observation | None, span: Span | None, now_ms: int) -> Verdict:
    """The case one observation further."""
    alert, transition = step(rule, case.alert, span, now_ms)
    moved = replace(case.moved(alert, seen, now_ms), severity=rule.severity)
    return Verdict(moved, transition, must_write=alert != case.alert)


def opened(rule: Rule, subject: Subject, seen: Observation, now_ms: int, role: str = "") -> Case:
    """A case about a subject that had none."""
    return Case(rule=rule.name, severity=rule.severity, subject=subject, seen=seen, seen_ms=now_ms, role=role)


def retire(case: Case, now_ms: int) -> Verdict:
    """A case that no rule is about any more."""
    alert, transition = close(case.alert, now_ms)
    return Verdict(case.moved(alert, None, now_ms), transition)


def end(case: Case, now_ms: int) -> Verdict:
    """A case whose host, or namespace, is no more."""
    alert, transition = forget(case.alert, now_ms)
    return Verdict(case.moved(alert, None, now_ms), transition)


def is_news(before: Case | None, verdict: Verdict) -> bool:
    """Whether anybody need know: what an alert was last seen to be is kept current while it matters."""
    return verdict.transition is not None or (not verdict.case.is_resting and verdict.case != before)


def _retired(watched: Sequence[Rule], cases: Mapping[Key, Case], now_ms: int) -> Iterator[Verdict]:
    by_name = {rule.name: rule for rule in watched}
    for case in cases.values():
        if case.subject.pool is None:
            continue
        rule = by_name.get(case.rule)
        if rule is None or not rule.where.accepts_pool(case.subject.pool):
            yield retire(case, now_ms)


def _watched(watched: Sequence[Rule], cases: Mapping[Key, Case], sight: Sight) -> Iterator[Verdict]:
    snapshot = sight.snapshot if sight.snapshot and sight.snapshot.failure is None else None
    readings = snapshot.readings if snapshot else ()
    mine: dict[str, dict[Pool, Case]] = {}
    for case in cases.values():
        if case.subject.pool is not None:
            mine.setdefault(case.rule, {})[case.subject.pool] = case
    listed = {reading.pool: reading for reading in readings} if mine else {}
    worst = {name: max(map(upper, readings), default=-math.inf) for name, upper in _UPPER.items()}
    for rule in watched:  # In the order of the rules, so that what happens at once is told as it is configured.
        open_ = mine.get(rule.name, {})
        raise_at, _ = rule.levels
        hot = _hot(rule, readings) if worst[rule.condition] >= raise_at else []
        for reading in hot:
            yield from _judged(rule, open_.get(reading.pool), reading, sight)
        done = {reading.pool for reading in hot} if open_ else set()
        for pool, case in open_.items():
            if pool in done or not rule.where.accepts_pool(pool):
                continue
            if pool in listed:
                yield from _judged(rule, case, listed[pool], sight)
            else:
                seen = infer_unlisted(snapshot, pool) if snapshot else None
                yield verdict_on(rule, case, seen, measure(rule.measure, seen) if seen else None, sight.now_ms)


def _hot(rule: Rule, readings: Sequence[Reading]) -> list[Reading]:
    """Those that may be at the level or worse."""
    raise_at, _ = rule.levels
    upper = _UPPER[rule.condition]
    return [one for one in readings if upper(one) >= raise_at and rule.where.accepts_pool(one.pool)]


def _judged(rule: Rule, case: Case | None, reading: Reading, sight: Sight) -> Iterator[Verdict]:
    """One step of a listed pool; none where it has no case and is not hot."""
    seen = _seen(rule, reading, sight)
    span = measure(rule.measure, seen)
    if case is None:
        turned = span.turned() if span and rule.measure.is_below else span
        if turned is None or turned.low < rule.levels[0]:
            return
        case = opened(rule, of_pool(sight.place.host, reading.pool), seen, sight.now_ms, sight.place.role)
    yield verdict_on(rule, case, seen, span, sight.now_ms)


def _seen(rule: Rule, reading: Reading, sight: Sight) -> Observation:
    if rule.measure is not SPENT_SOON or reading.occupancy < USAGE_FLOOR:
        return Observation(reading)
    return Observation(reading, forecast=sight.foresee(sight.place.host, reading, sight.now_ms))


_UPPER: Mapping[str, Callable[[Reading], float]] = {
    OCCUPANCY.name: lambda one: one.occupancy,
    HEADROOM.name: lambda one: -one.headroom_min,
    SPENT_SOON.name: lambda one: math.inf if one.occupancy >= USAGE_FLOOR else -math.inf,
    KNEE.name: lambda one: 1.0 if one.knee else 0.0,
    FAILURES.name: lambda one: one.failures,
}
"""How bad each condition may be at most, turned so that more is worse: most hosts are calm, and need no more."""
