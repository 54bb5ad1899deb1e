"""The open incidents. How alerts become incidents is in test_incidents.py."""

from dataclasses import replace

from collector.alerts.board import Board
from collector.alerts.evaluate import Case, Verdict
from collector.alerts.incidents import Telling
from collector.alerts.observe import Observation
from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState
from collector.alerts.subject import alert_key, of_pool
from collector.alerts.where import Place
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
