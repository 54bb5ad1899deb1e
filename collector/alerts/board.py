"""The open incidents, in memory: given what fired and what did not, it answers what people are to be told.

Pure but for its own memory, like `alerts.watch`: thrown away and made anew where its answers could not be written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.alerts.evaluate import Case, Verdict
from collector.alerts.incidents import Change, Incident, IncidentId, Scene, Telling, cause_of, leading, review
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence, is_silenced
from collector.alerts.step import Told
from collector.alerts.subject import alert_key
from collector.alerts.where import Place

ChannelsFor = Callable[[str, Iterable[Rule | None]], tuple[str, ...]]
"""(severity, the rules concerned) to the names of the channels that are told."""


def only_the_log(_severity: str, _rules: Iterable[Rule | None]) -> tuple[str, ...]:
    """Who is told where no channel is configured."""
    return ("log",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a round is looked at with: all that fires and is not over, the silences, the hosts as filters see them."""

    fired: Iterable[Case]
    silences: Sequence[Silence]
    place_of: Callable[[Case], Place]
    now_ms: int


class Board:
    """Every open incident, the case that stood for it last, and what this round tells of its cases."""

    def __init__(
        self, rules: Sequence[Rule], channels: ChannelsFor, incidents: Iterable[Incident], cases: Iterable[Case]
    ) -> None:
        self._rules: Mapping[str, Rule] = {rule.name: rule for rule in rules}
        self._channels = channels
        self._open: dict[IncidentId, Incident] = {incident.id: incident for incident in incidents}
        self._last_told: dict[IncidentId, Told] = {}
        by_key = {alert_key(case.rule, case.subject): case for case in cases}
        self._leads: dict[IncidentId, Case] = {
            which: by_key[incident.lead] for which, incident in self._open.items() if incident.lead in by_key
        }

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Keep what was last seen of the cases that stand for their incidents, and how those that ended did."""
        self._last_told = {}
        for verdict in verdicts:
            which = (verdict.case.severity, cause_of(verdict.case))
            if verdict.transition and verdict.transition.told:
                self._last_told[which] = verdict.transition.told
            if which in self._open and (which not in self._leads or self._leads[which].key == verdict.case.key):
                self._leads[which] = verdict.case

    def look(
        self, verdicts: Sequence[Verdict], surroundings: Surroundings, *, has_ticked: bool
    ) -> list[tuple[Change, Case | None]]:
        """What one round makes people hear: asked when something fired or resolved, and as time passes."""
        self.note(verdicts)
        if not has_ticked and not any(one.transition and one.transition.told for one in verdicts):
            return []
        fired = list(surroundings.fired)
        gone = _fired_and_gone(verdicts, fired)
        return [
            change
            for members in ([[*fired, *gone], fired] if gone else [fired])
            for change in self.review(members, surroundings.silences, surroundings.place_of, surroundings.now_ms)
        ]

    def review(
        self,
        fired: Iterable[Case],
        silences: Sequence[Silence],
        place_of: Callable[[Case], Place],
        now_ms: int,
    ) -> list[tuple[Change, Case | None]]:
        """What changed, each with the case that stands for it."""
        scene = Scene(
            rules=self._rules,
            is_silenced=lambda case: is_silenced(silences, case, place_of(case), now_ms),
            channels=self._channels,
            now_ms=now_ms,
        )
        return [self._settled(change) for change in review(self._open, fired, scene)]

    def _settled(self, change: Change) -> tuple[Change, Case | None]:
        incident, which = change.incident, change.incident.id
        if change.is_over:
            self._open.pop(which, None)
            if change.telling and self._last_told.get(which) is Told.FORGOTTEN:
                change = replace(change, telling=Telling.FORGOTTEN)
            return change, self._leads.pop(which, None)
        if change.telling in {Telling.FIRING, Telling.GREW}:
            lead = leading(change.members, self._rules)
            incident = replace(incident, lead=alert_key(lead.rule, lead.subject))
            self._leads[which] = lead
        self._open[which] = incident
        return replace(change, incident=incident), self._leads.get(which)


def _fired_and_gone(verdicts: Sequence[Verdict], lasting: Iterable[Case]) -> list[Case]:
    """What began to fire and resolved within one round: it is told all the same, and then that it is over."""
    fired = {one.case.key: one.case for one in verdicts if one.transition and one.transition.told is Told.FIRING}
    keys = {case.key for case in lasting} if fired else set()
    return [case for key, case in fired.items() if key not in keys]
