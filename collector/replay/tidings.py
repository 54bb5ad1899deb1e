"""What people would have been told: alerts of one cause as one incident, as the evaluation tells them. Pure."""

from collections.abc import Iterator, Sequence
from typing import Annotated, TypedDict

from collector.alerts.board import Board, ChannelsFor, Surroundings
from collector.alerts.evaluate import Case
from collector.alerts.incidents import Change, Telling, hosts_of
from collector.alerts.notice import News, first_of, summarise
from collector.alerts.playing import Round
from collector.alerts.rules import SEVERITIES
from collector.alerts.silences import Silence
from collector.alerts.watch import Watch
from collector.fleet.document import Count, one_of
from collector.replay.timeline import Timeline


class ToldShape(TypedDict):
    """A notice that people would have had: of an incident, which is all alerts of one cause and severity.

    `telling`: why; `alerts` on `hosts` are those that nothing hides, 0 at its end. `first`: who left its band first
    of several, null where it stands alone. `channels`: who takes it, by the channels that are configured now.
    """

    at_ms: Count
    telling: Annotated[str, one_of(Telling)]
    severity: Annotated[str, one_of(SEVERITIES)]
    cause: str
    rule: str
    since_ms: Count
    alerts: Count
    hosts: Count
    first: str | None
    channels: list[str]
    summary: str


class Tidings:
    """Follows every round from the beginning on; tells of those from the window's beginning on that are asked for."""

    def __init__(self, watch: Watch, timeline: Timeline, channels: ChannelsFor, silences: Sequence[Silence]) -> None:
        """`timeline` says what is asked for; `silences`: those of the time."""
        self._watch, self._timeline, self._silences = watch, timeline, silences
        self._board = Board(watch.rules, channels, (), ())

    def of(self, one: Round) -> Iterator[ToldShape]:
        """What people hear in this round."""
        around = Surroundings(
            fired=self._watch.fired,
            silences=[quiet for quiet in self._silences if quiet.created_ms <= one.at_ms],
            place_of=self._watch.place_for,
            now_ms=one.at_ms,
        )
        for change, lead in self._board.look(one.verdicts, around, has_ticked=one.has_ticked):
            if change.telling and lead and self._is_asked_for(one.at_ms, change, lead):
                yield _told(change, change.telling, lead, one.at_ms)

    def _is_asked_for(self, at_ms: int, change: Change, lead: Case) -> bool:
        return at_ms >= self._timeline.from_ms and any(map(self._timeline.means, [lead, *change.members]))


def _told(change: Change, telling: Telling, lead: Case, at_ms: int) -> ToldShape:
    incident, members = change.incident, change.members
    news = News(incident=incident, telling=telling, lead=lead, members=members, now_ms=at_ms)
    return {
        "at_ms": at_ms,
        "telling": telling.value,
        "severity": incident.severity,
        "cause": incident.cause,
        "rule": lead.rule,
        "since_ms": incident.opened_ms,
        "alerts": len(members),
        "hosts": hosts_of(members),
        "first": first_of(members) if len(members) > 1 else None,
        "channels": list(incident.channels),
        "summary": summarise(news),
    }
