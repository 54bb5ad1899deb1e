"""What a replay tells: each change of state with what was read then, and which pool left its band first. Pure."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypedDict

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case, Verdict
from collector.alerts.rules import SEVERITIES
from collector.alerts.silences import Silence
from collector.alerts.step import AlertState, Told, Transition
from collector.alerts.subject import SubjectShape
from collector.alerts.where import Place, Where
from collector.alerts.words import describe
from collector.fleet.document import Count, one_of
from collector.replay.hush import holding_back

State = Annotated[str, one_of(AlertState)]


class HeldBackShape(TypedDict):
    """A silence that keeps a notice from people: whose, why, and until when."""

    id: int
    author: str
    reason: str
    ends_ms: Count


class MomentShape(SubjectShape):
    """A rule that changed its state on its subject. Counts are of a pool, null of anything else.

    `told`: what people would have heard of it; null: nothing. `held_back`: the silence of the time that would have kept
    it from them; null: none.
    """

    at_ms: Count
    rule: str
    severity: Annotated[str, one_of(SEVERITIES)]
    before: State
    after: State
    told: Annotated[str | None, one_of(Told)]
    held_back: HeldBackShape | None
    role: str | None
    held: Count | None
    capacity: Count | None
    headroom_min: Count | None
    headroom_max: Count | None
    summary: str


class StandingShape(SubjectShape):
    """An alert that stood when the window began, and since when (no longer ago than what was judged before)."""

    rule: str
    severity: Annotated[str, one_of(SEVERITIES)]
    state: State
    since_ms: Count
    summary: str


class Timeline:
    """Takes every verdict from the beginning on; tells of those from `from_ms` on that `where` means."""

    def __init__(
        self,
        from_ms: int,
        where: Where,
        silences: Sequence[Silence] = (),
        place_of: Callable[[Case], Place] = lambda case: Place(host=case.subject.host or "", role=case.role),
    ) -> None:
        """`silences`: those of the time; `place_of`: the host of a case as their filters see it."""
        self.from_ms, self._where = from_ms, where
        self._silences, self._place_of = silences, place_of
        self.first: MomentShape | None = None
        """The first pool that left its band."""

    def moment(self, at_ms: int, verdict: Verdict) -> MomentShape | None:
        """What to tell of a verdict; None: nothing."""
        case, changed = verdict.case, verdict.transition
        if changed is None or at_ms < self.from_ms or not self.means(case):
            return None
        reading = case.seen.reading
        made: MomentShape = {
            "at_ms": at_ms,
            "rule": case.rule,
            "severity": case.severity,
            "before": changed.before.value,
            "after": changed.after.value,
            "told": changed.told.value if changed.told else None,
            "held_back": self._held_back(case, changed),
            "role": case.role or None,
            **case.subject.document(),
            "held": reading.held if reading else None,
            "capacity": reading.capacity if reading else None,
            "headroom_min": reading.headroom_min if reading else None,
            "headroom_max": reading.headroom_max if reading else None,
            "summary": describe(case),
        }
        if self.first is None and case.subject.scope is Scope.POOL and _left_its_band(verdict):
            self.first = made
        return made

    def standing(self, case: Case) -> StandingShape | None:
        """What to tell of an alert when the window begins; None: nothing."""
        if case.is_resting or not self.means(case):
            return None
        return {
            "rule": case.rule,
            "severity": case.severity,
            "state": case.alert.state.value,
            "since_ms": case.alert.since_ms,
            **case.subject.document(),
            "summary": describe(case),
        }

    def _held_back(self, case: Case, changed: Transition) -> HeldBackShape | None:
        """The end is kept from people where the beginning was, and nothing was told in between."""
        if changed.told is None or changed.fired_ms is None:
            return None
        held = holding_back(self._silences, case, self._place_of(case), changed.fired_ms, changed.at_ms)
        if held is None:
            return None
        return {"id": held.id, "author": held.author, "reason": held.reason, "ends_ms": held.ends_ms}

    def means(self, case: Case) -> bool:
        """Whether the case is asked for."""
        if not self._where.names_pools:
            return True
        return case.subject.pool is not None and self._where.accepts_pool(case.subject.pool)


def _left_its_band(verdict: Verdict) -> bool:
    changed = verdict.transition
    is_bad = changed is not None and changed.after in {AlertState.PENDING, AlertState.FIRING}
    return is_bad and verdict.case.alert.hot_since_ms == verdict.case.alert.since_ms
