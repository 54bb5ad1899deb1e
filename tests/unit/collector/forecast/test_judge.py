"""When a pool is said to run out, and when nothing is said: each rule with the story it is for."""

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.forecast import Forecast, Past, Unforeseen, forecast

CAPACITY = 28_232
DAY_S, HOUR_S = 86_400.0, 3_600.0


def seen(held: Callable[[float], float], until_s: float, *, since_s: float = 0.0, every_s: float = 10.0) -> Past:
    """The past of a pool that held `held(s)` ports, read every so often."""
    past = Past()
    for at_s in np.arange(since_s, until_s + every_s / 2, every_s):
        past.add(float(at_s), int(min(CAPACITY, held(float(at_s)))))
    return past


def judged(held: Callable[[float], float], at_s: float, **how: float) -> Forecast | Unforeseen:
    return forecast(seen(held, at_s, **how), int(min(CAPACITY, held(at_s))), CAPACITY)


def test_a_spent_pool_is_spent_now() -> None:
    assert judged(lambda _: CAPACITY, 0.0) == Forecast(0, 0, 0, 0, 0)


def test_a_steady_climb_is_told_with_its_rate_and_time_left() -> None:
    found = judged(lambda s: 2 * s, 12_000.0)

    assert isinstance(found, Forecast)
    assert math.isclose(found.rate, 2.0, rel_tol=0.01)
    assert math.isclose(found.s, (CAPACITY - 24_000) / 2, rel_tol=0.01)
    assert found.earliest_s <= found.s <= found.latest_s


def test_a_burst_of_eight_seconds_is_told_before_it_ends() -> None:
    found = judged(lambda s: 3_500 * s, 6.0, every_s=1.0)

    assert isinstance(found, Forecast)
    assert math.isclose(found.s, CAPACITY / 3_500 - 6, rel_tol=0.05)


def test_less_than_half_full_is_nobodys_business() -> None:
    assert judged(lambda s: 2 * s, 6_000.0) is Unforeseen.LITTLE_USED


def test_three_readings_are_too_few() -> None:
    assert judged(lambda s: 8_000 * s, 2.0, every_s=1.0) is Unforeseen.NO_HISTORY


def test_a_level_pool_has_no_time_left_to_tell() -> None:
    assert judged(lambda _: 20_000, HOUR_S) is Unforeseen.NOT_RISING


def test_a_falling_pool_neither() -> None:
    assert judged(lambda s: 27_000 - s, HOUR_S) is Unforeseen.NOT_RISING


def test_a_minute_of_rise_foretells_no_hour() -> None:
    """A deploy's step looks like a climb while it lasts."""
    assert judged(lambda s: 15_000 + max(0.0, s - HOUR_S) * 4, HOUR_S + 60) is Unforeseen.TOO_FAR


def test_the_tide_of_every_day_turns_back_again() -> None:
    def tide(at_s: float) -> float:
        return CAPACITY * (0.50 + 0.35 * math.sin(2 * math.pi * at_s / DAY_S))

    assert judged(tide, 2 * DAY_S + 3 * HOUR_S, since_s=DAY_S) in (Unforeseen.SEEN_BEFORE, Unforeseen.TOO_FAR)


def test_beyond_what_turned_back_before_it_is_news() -> None:
    def teeth_then_climb(at_s: float) -> float:
        return 8_000 + 8_000 * ((at_s / 1_200) % 1) if at_s < DAY_S else 8_000 + 6 * (at_s - DAY_S)

    assert judged(teeth_then_climb, DAY_S + 1_100.0) is not Unforeseen.SEEN_BEFORE
    found = judged(teeth_then_climb, DAY_S + 2_400.0)
    assert isinstance(found, Forecast)
    assert math.isclose(found.rate, 6, rel_tol=0.05)


def test_a_peak_that_spent_the_pool_vouches_for_nothing() -> None:
    def spent_once(at_s: float) -> float:
        return CAPACITY if HOUR_S <= at_s < HOUR_S + 600 else 10_000 + max(0.0, at_s - 4 * HOUR_S) * 4

    assert isinstance(judged(spent_once, 4 * HOUR_S + 3_000.0), Forecast)


@given(st.lists(st.tuples(st.floats(0.5, 900), st.integers(0, CAPACITY)), min_size=1, max_size=80))
def test_whatever_was_seen_the_answer_is_a_time_in_order_or_a_reason(steps: list[tuple[float, int]]) -> None:
    past, at_s = Past(), 0.0
    for step_s, held in steps:
        at_s += step_s
        past.add(at_s, held)

    found = forecast(past, steps[-1][1], CAPACITY)

    if isinstance(found, Forecast):
        assert 0 <= found.earliest_s <= found.s <= found.latest_s < math.inf
        assert found.s <= found.seen_for_s or found.s == 0
