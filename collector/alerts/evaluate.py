"""All rules on one host, one snapshot (or one silence) further. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.alerts.observe import Observation, infer_unlisted
from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState, Transition, close, step
from shared.model import Pool, Snapshot

Subject = tuple[str, Pool]
"""(name of the rule, pool): what an alert is about, within its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule on one pool of a host: where its alert stands, and what was last known of the pool.

    Only pools that were hot once have a case; every other pool is ok for as long as its host reports.
    """

    rule: str
    severity: str
    pool: Pool
    alert: Alert = field(default_factory=Alert)
    seen: Observation
    seen_ms: int

    @property
    def subject(self) -> Subject:
        """What names it within its host."""
        return (self.rule, self.pool)

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


def judge(
    rules: Sequence[Rule], cases: Mapping[Subject, Case], snapshot: Snapshot | None, now_ms: int
) -> list[Verdict]:
    """Every case of one host that is not as it was, after `snapshot` (None: the host is silent) at `now_ms`."""
    verdicts = [*_retired(rules, cases, now_ms), *_watched(rules, cases, snapshot, now_ms)]
    return [verdict for verdict in verdicts if verdict.transition or _is_worth_writing(cases, verdict.case)]


def _is_worth_writing(cases: Mapping[Subject, Case], case: Case) -> bool:
    # What an alert was last seen to hold is kept current while it matters, not while it is calm.
    return case.alert.state is not AlertState.OK and case != cases.get(case.subject)


def _watched(
    rules: Sequence[Rule], cases: Mapping[Subject, Case], snapshot: Snapshot | None, now_ms: int
) -> Iterator[Verdict]:
    listed: set[Pool] = set()
    for reading in snapshot.readings if snapshot and snapshot.failure is None else ():
        listed.add(reading.pool)
        for rule in rules:
            case = cases.get((rule.name, reading.pool))
            if case is None and reading.occupancy < rule.raise_at:
                continue
            seen = Observation(reading)
            yield _verdict(rule, case or _opened(rule, seen, now_ms), seen, now_ms)
    for rule in rules:  # In the order of the rules, so that what happens at once is told as it is configured.
        for case in [case for case in cases.values() if case.rule == rule.name and case.pool not in listed]:
            unlisted = infer_unlisted(snapshot, case.pool) if snapshot else None
            yield _verdict(rule, case, unlisted, now_ms)


def _retired(rules: Sequence[Rule], cases: Mapping[Subject, Case], now_ms: int) -> Iterator[Verdict]:
    names = {rule.name for rule in rules}
    for case in cases.values():
        if case.rule not in names:
            alert, transition = close(case.alert, now_ms)
            yield Verdict(case.moved(alert, None, now_ms), transition)


def _opened(rule: Rule, seen: Observation, now_ms: int) -> Case:
    return Case(rule=rule.name, severity=rule.severity, pool=seen.reading.pool, seen=seen, seen_ms=now_ms)


def _verdict(rule: Rule, case: Case, seen: Observation | None, now_ms: int) -> Verdict:
    alert, transition = step(rule, case.alert, seen, now_ms)
    return Verdict(replace(case.moved(alert, seen, now_ms), severity=rule.severity), transition)
