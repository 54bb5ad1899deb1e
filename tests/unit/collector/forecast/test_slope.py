"""Theil and Sen's slope: what a few wild points may do to it, and what its bounds promise."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.forecast.past import POINTS, Floats
from collector.forecast.slope import slopes


def row(*points: tuple[float, float]) -> tuple[Floats, Floats]:
    padded = [*points, *[(np.nan, np.nan)] * (POINTS - len(points))]
    at_s, held = np.array(padded).T
    return at_s[None, :], held[None, :]


@given(st.floats(-500, 500), st.floats(0, 30_000), st.integers(4, POINTS))
def test_a_straight_line_is_its_own_slope_with_no_doubt(rate: float, start: float, count: int) -> None:
    found = slopes(*row(*((float(s), start + rate * s) for s in range(count))))

    np.testing.assert_allclose([found.low[0], found.middle[0], found.high[0]], rate, atol=1e-6)


def test_three_wild_points_in_twenty_four_do_not_bend_it() -> None:
    line = [(float(s), 100.0 * s) for s in range(POINTS)]
    for wild in (3, 11, 19):
        line[wild] = (line[wild][0], 28_000.0)

    found = slopes(*row(*line))

    assert 100.0 <= found.middle[0] < 110.0


@given(st.lists(st.integers(0, 28_232), min_size=4, max_size=POINTS))
def test_the_bounds_enclose_the_slope(held: list[int]) -> None:
    found = slopes(*row(*((float(s), float(value)) for s, value in enumerate(held))))

    assert found.low[0] <= found.middle[0] <= found.high[0]


def test_where_readings_come_in_does_not_matter() -> None:
    points = [(float(s), float(s * s % 17)) for s in range(12)]

    assert [*map(float, slopes(*row(*points)).middle)] == [*map(float, slopes(*row(*reversed(points))).middle)]


def test_noise_without_a_trend_surely_rises_less_than_one_time_in_ten() -> None:
    random = np.random.default_rng(7)
    at_s = np.tile(np.arange(POINTS, dtype=np.float64), (400, 1))

    found = slopes(at_s, random.normal(15_000, 100, at_s.shape))

    assert np.count_nonzero(found.low > 0) < 40


def test_a_window_with_less_than_two_points_has_no_slope() -> None:
    found = slopes(*row((0.0, 5.0)))

    assert np.isnan(found.middle[0])
    assert (found.points[0], found.span_s[0]) == (1, 0)
