"""What an answer is worth."""

import pytest

from tests.oracle.observer import Answer
from tests.oracle.outcome import Outcome, Verdict, exact_percent, line, outcome_of, summary


def an_outcome(truth: int | None = 160, told: Answer | None = None, settled: Verdict | None = None) -> Outcome:
    return Outcome(name="empty", says="Nothing is used", truth=truth, told=told, published=199, settled=settled)


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        (Answer(160, 160, 160), Verdict.EXACT),
        (Answer(160, 100, 200), Verdict.EXACT),
        (Answer(200, 160, 200), Verdict.WITHIN),
        (Answer(200, 161, 200), Verdict.WRONG),
        (Answer(120, 100, 159), Verdict.WRONG),
        (Answer(160, 170, 180), Verdict.WRONG),
        (None, Verdict.NO_ANSWER),
    ],
)
def test_bounds_must_hold_and_the_number_may_be_right(told: Answer | None, verdict: Verdict) -> None:
    assert an_outcome(told=told).verdict is verdict


def test_what_does_not_exist_on_this_kernel_is_not_counted() -> None:
    outcomes = [an_outcome(told=Answer(160, 160, 160)), an_outcome(settled=Verdict.SKIPPED)]

    assert exact_percent(outcomes) == 100
    assert summary(outcomes) == "exact 1, skipped 1"


def test_of_nothing_nothing_is_exact() -> None:
    assert exact_percent([]) == 0


@pytest.mark.parametrize(
    "outcome",
    [
        an_outcome(told=Answer(200, 160, 200)),
        an_outcome(told=None),
        an_outcome(truth=None, settled=Verdict.BROKEN),
    ],
)
def test_json_tells_all(outcome: Outcome) -> None:
    assert outcome_of(outcome.plain()) == outcome


def test_a_line_shows_bounds_only_where_they_leave_a_gap() -> None:
    assert line(an_outcome(told=Answer(160, 160, 160))).split() == ["empty", "truth", "160", "told", "160", "exact"]
    assert "told 200 [160..200]" in line(an_outcome(told=Answer(200, 160, 200)))
