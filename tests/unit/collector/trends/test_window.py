"""Stretches of time cut into steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.trends.window import MAX_POINTS, InvalidWindow, Window, united
from tests.builders import NOON_MS


@given(st.integers(0, 10**12), st.integers(1, 10**6), st.integers(1_000, 10**6), st.data())
def test_every_instant_of_the_window_falls_into_one_of_its_steps(
    from_ms: int, length_ms: int, step_ms: int, data: st.DataObject
) -> None:
    window = Window(from_ms, from_ms + length_ms, step_ms)
    at_ms = data.draw(st.integers(from_ms, from_ms + length_ms - 1))
    index = window.index(at_ms)
    assert 0 <= index < len(window)
    assert window.start_ms(index) <= at_ms < window.start_ms(index) + step_ms


def test_steps_begin_on_multiples_so_that_two_looks_agree() -> None:
    window = Window(NOON_MS + 123, NOON_MS + 60_000, 10_000)
    assert window.start_ms(0) % 10_000 == 0


@pytest.mark.parametrize(
    ("to_ms", "step_ms", "parameter"),
    [(NOON_MS, 1_000, "to"), (NOON_MS - 1, 1_000, "to"), (NOON_MS + 1, 0, "step")],
)
def test_a_window_that_shows_nothing_is_refused(to_ms: int, step_ms: int, parameter: str) -> None:
    with pytest.raises(InvalidWindow) as caught:
        Window(NOON_MS, to_ms, step_ms)
    assert caught.value.parameter == parameter


def test_more_points_than_anybody_can_look_at_are_refused() -> None:
    Window(NOON_MS, NOON_MS + MAX_POINTS * 1_000, 1_000)
    with pytest.raises(InvalidWindow, match="widen the step"):
        Window(NOON_MS, NOON_MS + (MAX_POINTS + 1) * 1_000, 1_000)


def test_stretches_are_told_once_each_in_order_and_within_what_was_asked() -> None:
    assert united([(8, 12), (0, 3), (2, 5), (5, 6), (20, 30)], (1, 10)) == [(1, 6), (8, 10)]
    assert united([], (0, 1)) == []
