"""A pool as a drawing."""

from datetime import UTC
from xml.etree import ElementTree as ET

import pytest

from collector.trends.series import Point
from collector.web.chart import SIZES, THEMES, Drawing, Mark, Outlook, draw, ends_ms, gaps, stacked
from tests.builders import NOON_MS

STEP_MS = 30_000
KNOWN = [Point(NOON_MS + index * STEP_MS, index, index + 0.5, index + 1, 300) for index in range(6)]
NOTHING = [Point(NOON_MS + index * STEP_MS) for index in range(6)]


def texts(svg: bytes) -> str:
    return " ".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own drawing


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_held_lent_and_unknown_is_drawn_and_named(theme: str) -> None:
    drawn = texts(draw(Drawing(points=[*KNOWN[:3], *NOTHING[3:]], step_ms=STEP_MS), THEMES[theme], UTC))
    for name in ("held (peak)", "capacity", "50%", "85%", "unknown", "UTC"):
        assert name in drawn


def test_a_pool_nobody_ever_saw_is_unknown_all_over() -> None:
    assert "unknown" in texts(draw(Drawing(points=NOTHING, step_ms=STEP_MS), THEMES["light"], UTC))


def test_marks_are_text_whatever_they_say() -> None:
    marks = [Mark(NOON_MS + STEP_MS, "a $\\frac{1 <script> & $: firing", is_bad=True)]
    drawn = texts(draw(Drawing(points=KNOWN, step_ms=STEP_MS, marks=marks), THEMES["light"], UTC))
    assert "<script>" in drawn


def test_a_forecast_is_drawn() -> None:
    outlook = Outlook(KNOWN[-1].at_ms, 6, 100.0, 120.0, 200.0)
    assert "forecast" in texts(draw(Drawing(points=KNOWN, step_ms=STEP_MS, outlook=outlook), THEMES["dark"], UTC))


def test_gaps_are_runs_of_nothing() -> None:
    points = [NOTHING[0], KNOWN[1], NOTHING[2], NOTHING[3], KNOWN[4], NOTHING[5]]
    assert list(gaps([point.max is not None for point in points])) == [(0, 1), (2, 4), (5, 6)]


def test_states_are_stacked_up_to_the_peak() -> None:
    """What is not told apart is drawn as that; nothing is drawn above what was held."""
    points = [Point(NOON_MS, 90, 95.0, 100, 300), Point(NOON_MS), Point(NOON_MS, 5, 5.0, 5, 300)]
    states = [{"ESTABLISHED": 60, "TIME_WAIT": 30, "FIN_WAIT1": 10}, {}, {"TIME_WAIT": 9}]
    assert stacked(points, states) == [[60, 0, 0], [30, 0, 5], [0, 0, 0], [10, 0, 0]]


def test_states_are_named() -> None:
    states = [{"ESTABLISHED": 1, "CLOSE_WAIT": 1}] * len(KNOWN)
    drawn = texts(draw(Drawing(points=KNOWN, step_ms=STEP_MS, states=states), THEMES["light"], UTC, SIZES["small"]))
    assert "ESTABLISHED" in drawn
    assert "CLOSE_WAIT" in drawn
    assert "TIME_WAIT" not in drawn


def test_a_forecast_takes_at_most_a_third_more() -> None:
    assert ends_ms(0, 90_000, None) == 90_000
    assert ends_ms(0, 90_000, Outlook(89_000, 6, 5.0, 8.0, 10.0)) == 99_000
    assert ends_ms(0, 90_000, Outlook(89_000, 6, 5.0, 8.0, 9e9)) == 119_000
