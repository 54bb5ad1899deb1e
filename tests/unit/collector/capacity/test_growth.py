"""Growth is told where weeks of peaks show it, and not where they do not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.capacity.growth import LEAST_DAYS, LONG_DAYS, REACH, RECENT_DAYS, Tendency, growth

WEEKEND = (5, 6)


def a_season(days: int, *, base: int = 10_000, per_day: float = 0.0, noise: int = 0, seed: int = 1) -> list[int | None]:
    """Daily peaks with weekends at half, noise and growth."""
    chance = random.Random(seed)
    return [
        round((base + per_day * day) * (0.5 if day % 7 in WEEKEND else 1.0)) + chance.randint(-noise, noise)
        for day in range(days)
    ]


def test_a_pool_that_grows_is_told_with_its_rate_and_the_peak_of_its_busiest_weekday() -> None:
    found = growth(a_season(84, per_day=100, noise=300))

    assert found.trend is Tendency.GROWING
    assert found.per_day == pytest.approx(100, rel=0.15)
    assert found.slowest <= found.per_day <= found.fastest
    assert found.peak == pytest.approx(10_000 + 100 * 83, rel=0.06)
    assert found.reach_days == REACH * 84


@pytest.mark.parametrize("seed", range(20))
def test_weekends_and_noise_are_no_growth(seed: int) -> None:
    assert growth(a_season(84, noise=500, seed=seed)).trend is not Tendency.GROWING


@pytest.mark.parametrize("length", [0, 1, 7, 14, LEAST_DAYS - 1])
def test_less_than_three_weeks_say_nothing(length: int) -> None:
    found = growth(a_season(length, per_day=500))

    assert found.trend is Tendency.UNKNOWN
    assert f"{LEAST_DAYS} of the last" in found.why


@pytest.mark.parametrize("at", range(14, 80, 6))
def test_a_step_is_no_growth(at: int) -> None:
    days = [5_000 if day < at else 15_000 for day in range(84)]

    assert growth(days).trend is not Tendency.GROWING


def test_growth_that_has_ended_has_ended() -> None:
    days = [5_000 + 200 * min(day, 50) for day in range(84)]

    found = growth(days)

    assert found.trend is Tendency.STEADY
    assert found.peak == 15_000


def test_growth_that_has_sped_up_is_told_as_it_is_now_and_reaches_less_far() -> None:
    days = [5_000 + 10 * day + max(0, day - 50) * 300 for day in range(84)]

    found = growth(days)

    assert found.trend is Tendency.GROWING
    assert found.per_day == pytest.approx(310, rel=0.05)
    assert found.reach_days == REACH * RECENT_DAYS


def test_what_falls_is_not_counted_on() -> None:
    found = growth(a_season(84, base=20_000, per_day=-100))

    assert found.trend is Tendency.STEADY
    assert found.per_day == 0


def test_one_wild_day_bends_nothing() -> None:
    days = a_season(84, per_day=50)
    plain = growth(days)
    days[60] = 60_000

    wild = growth(days)

    assert wild.per_day == pytest.approx(plain.per_day, rel=0.05)
    assert wild.peak == pytest.approx(plain.peak, rel=0.05)


def test_days_before_the_pool_was_used_are_no_part_of_its_growth() -> None:
    """A backend that came three weeks ago held nothing before: its coming is not its growth."""
    assert growth([0] * 60 + [9_000] * 24).trend is Tendency.STEADY


def test_days_that_nobody_saw_are_left_out() -> None:
    days = a_season(84, per_day=100)
    for day in range(10, 20):
        days[day] = None

    found = growth(days)

    assert found.known_days == 74
    assert found.per_day == pytest.approx(100, rel=0.15)


@given(st.lists(st.none() | st.integers(0, 65_535), max_size=120))
def test_whatever_was_seen_the_bounds_are_in_order(days: list[int | None]) -> None:
    found = growth(days)

    assert 0 <= found.slowest <= found.per_day <= found.fastest
    assert found.known_days <= LONG_DAYS
    assert (found.trend is Tendency.GROWING) == (found.per_day > 0) == (found.reach_days > 0)
    assert found.peak >= 0


@given(st.integers(100, 500), st.integers(21, 90), st.integers(0, 20_000))
def test_a_straight_line_is_found_exactly(per_day: int, length: int, base: int) -> None:
    found = growth([base + 1 + per_day * day for day in range(length)])

    assert (found.trend, found.slowest, found.fastest) == (Tendency.GROWING, per_day, per_day)


@given(st.lists(st.integers(1, 60_000), min_size=21, max_size=84), st.integers(2, 5))
def test_twice_the_load_grows_twice_as_fast(days: list[int], times: int) -> None:
    one, more = growth(days), growth([held * times for held in days])

    assert more.trend is one.trend
    assert more.per_day == pytest.approx(one.per_day * times)
    assert more.peak == pytest.approx(one.peak * times)
