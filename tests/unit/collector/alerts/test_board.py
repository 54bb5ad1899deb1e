"""The open incidents. How alerts become incidents is in test_incidents.py."""

from dataclasses import replace

from collector.alerts.board import Board, Surroundings
from collector.alerts.evaluate import Case, Verdict, end
from collector.alerts.incidents import Telling
from collector.alerts.observe import Observation
from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState, Told, Transition
from collector.alerts.subject import alert_key, of_pool
from collector.alerts.where import Place
from shared.addresses import parse_ip
from tests.builders import NOON_MS, a_pool, a_reading

HOT = Rule(name="hot", severity="page", raise_at=0.85)
CASE = Case(
    rule="hot",
    severity="page",
    subject=of_pool("lb1", a_pool()),
    alert=Alert(AlertState.FIRING, NOON_MS, NOON_MS, NOON_MS),
    seen=Observation(a_reading(290)),
    seen_ms=NOON_MS,
)
CALM = replace(CASE, alert=Alert(AlertState.OK, NOON_MS + 1), seen=Observation(a_reading(5)))

RESOLVED = Transition(AlertState.FIRING, AlertState.OK, NOON_MS, Told.RESOLVED, NOON_MS)


def a_board(*incidents: object, cases: tuple[Case, ...] = ()) -> Board:
    return Board([HOT], lambda _severity, _rules: ("log",), incidents, cases)  # type: ignore[arg-type] # Incidents


def reviewed(board: Board, *fired: Case) -> list[tuple[Telling | None, Case | None]]:
    changes = board.review(fired, (), lambda _: Place(host="lb1"), NOON_MS)
    return [(change.telling, lead) for change, lead in changes]


def test_the_end_is_told_with_what_was_seen_last() -> None:
    board = a_board()
    assert reviewed(board, CASE) == [(Telling.FIRING, CASE)]
    board.note([Verdict(CALM, None)])
    assert reviewed(board) == [(Telling.RESOLVED, CALM)]
    assert reviewed(board) == []


def test_an_incident_recalled_is_not_told_again_and_ends_as_it_would_have() -> None:
    first = a_board()
    [(change, _)] = first.review([CASE], (), lambda _: Place(host="lb1"), NOON_MS)
    assert change.incident.lead == alert_key("hot", CASE.subject)
    second = a_board(change.incident, cases=(CASE,))
    assert reviewed(second, CASE) == []
    assert reviewed(second) == [(Telling.RESOLVED, CASE)]


def test_what_ended_because_its_host_was_forgotten_is_told_as_that() -> None:
    board = a_board()
    reviewed(board, CASE)
    board.note([end(CASE, NOON_MS + 1)])
    [(telling, _)] = reviewed(board)
    assert telling is Telling.FORGOTTEN


def test_what_was_calm_before_another_host_was_forgotten_is_told_by_what_came_last() -> None:
    board, backend = a_board(), replace(a_pool(), peer=parse_ip("10.0.9.21"))
    one, other = (replace(CASE, subject=of_pool(host, backend)) for host in ("lb1", "lb2"))
    reviewed(board, one, other)
    board.note([end(one, NOON_MS + 1)])
    assert reviewed(board, other) == []
    board.note([Verdict(replace(CALM, subject=other.subject), RESOLVED)])
    assert [telling for telling, _ in reviewed(board)] == [Telling.RESOLVED]


FIRED = Transition(AlertState.OK, AlertState.FIRING, NOON_MS, Told.FIRING, NOON_MS)


def looked(board: Board, *verdicts: Verdict, fired: tuple[Case, ...] = (), has_ticked: bool = False) -> list[Telling]:
    around = Surroundings(fired=fired, silences=(), place_of=lambda _: Place(host="lb1"), now_ms=NOON_MS)
    changes = board.look(verdicts, around, has_ticked=has_ticked)
    return [change.telling for change, _ in changes if change.telling]


def test_what_began_and_ended_in_one_round_is_told_twice() -> None:
    assert looked(a_board(), Verdict(CASE, FIRED), Verdict(CALM, RESOLVED)) == [Telling.FIRING, Telling.RESOLVED]


def test_a_round_in_which_nothing_fired_or_resolved_is_looked_at_as_time_passes_only() -> None:
    """So what a silence hid is told when it ends, and no report of a calm host costs a look at all that fires."""
    board = a_board()
    assert looked(board, Verdict(CASE, None), fired=(CASE,)) == []
    assert looked(board, fired=(CASE,), has_ticked=True) == [Telling.FIRING]
