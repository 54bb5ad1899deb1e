"""How a forecast is judged by what came next."""

import random

import pytest

from benchmarks.forecast import Row, Score, heard, line, ours, score, table, verdict
from benchmarks.incidents import HOUR_S, INCIDENTS, Scene

NEVER = Scene(lambda _: 0.0, 0.0, 100.0, 10_000.0)


def test_lead_is_from_the_first_alarm_within_the_hour_before() -> None:
    assert score([9_000.0, 9_500.0], NEVER, 10_000.0) == Score(1_000.0, 0)


def test_an_alarm_more_than_an_hour_early_is_in_vain() -> None:
    assert score([5_000.0, 9_500.0], NEVER, 5_001.0 + HOUR_S) == Score(0.0, 1)


def test_what_comes_before_judging_or_after_the_end_does_not_count() -> None:
    assert score([50.0, 10_000.0], NEVER, 10_000.0) == Score(0.0, 0)


def test_alarms_close_together_are_heard_once() -> None:
    assert heard([0.0, 200.0, 400.0, 1_000.0]) == 2


@pytest.mark.parametrize("tell", [ours, line])
def test_both_see_the_published_climb_come(tell: type) -> None:
    scene = INCIDENTS["climb of 98 min"](random.Random(3))
    spent_s = scene.spent_s()
    assert spent_s is not None

    found = score(tell(scene, spent_s, random.Random(3)), scene, spent_s)

    assert found.false == 0
    assert found.lead_s is not None
    assert 600 < found.lead_s < 1_200


def test_the_table_and_the_verdict_say_who_was_earlier_and_who_cried_wolf() -> None:
    pairs = [(Row("a", 10.0, 0.5), Row("a", 5.0, 0.0)), (Row("b", None, 0.0), Row("b", None, 0.25))]

    assert table(pairs).splitlines()[2:] == [
        "| a | 10 s | 5 s | 0.5 | 0.0 |",
        "| b | never spent | never spent | 0.0 | 0.2 |",
    ]
    assert verdict(pairs).splitlines() == [
        "- met: told earlier in every incident",
        "- NOT met: alarms in vain, 0.25 a pool-week against 0.12",
    ]
