"""What is kept of one pool's past: thinned, bounded, and never older than it says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.forecast.past import PEAKS, RUNGS_S, Past


def past_of(*readings: tuple[float, int]) -> Past:
    past = Past()
    for at_s, held in readings:
        past.add(at_s, held)
    return past


def test_points_are_told_as_seconds_before_the_latest_reading() -> None:
    at_s, held = past_of((1_000.0, 5), (1_002.0, 9)).points()

    seen = ~np.isnan(at_s[0])
    assert sorted(zip(at_s[0][seen], held[0][seen], strict=True)) == [(-2.0, 5.0), (0.0, 9.0)]


def test_readings_in_one_stretch_become_their_mean() -> None:
    at_s, held = past_of((14_400.0, 10), (14_500.0, 30)).points()

    seen = ~np.isnan(at_s[-1])
    assert (at_s[-1][seen].tolist(), held[-1][seen].tolist()) == ([-50.0], [20.0])


@given(st.lists(st.tuples(st.floats(0.01, 4_000), st.integers(0, 28_232)), min_size=1, max_size=60))
def test_no_rung_looks_further_back_than_it_says_and_every_rung_ends_at_the_latest(
    steps: list[tuple[float, int]],
) -> None:
    past, at_s = Past(), 1_000_000.0
    for step_s, held in steps:
        at_s += step_s
        past.add(at_s, held)

    ago_s, held_then = past.points()

    assert (np.nanmin(ago_s, axis=1) >= -RUNGS_S - 1e-6).all()
    assert (np.nanmax(ago_s, axis=1) <= 1e-6).all()
    assert (np.isnan(ago_s) == np.isnan(held_then)).all()
    assert np.nanmax(held_then) <= max(held for _, held in steps)


def test_a_reading_older_than_the_latest_changes_nothing() -> None:
    past = past_of((1_000.0, 5))
    past.add(999.0, 28_000)

    assert np.nanmax(past.points()[1]) == 5
    assert past.last_s == 1_000.0


def test_peaks_are_those_of_the_week_before_the_moment_asked_for() -> None:
    hour = 3_600.0
    past = past_of((0.0, 700), (2 * hour, 900), (20 * hour, 10))

    assert past.peaks_before(np.array([0.0, 19 * hour, 20 * hour]), below=1_000).tolist() == [900, 700, 0]


def test_peaks_of_more_than_a_week_ago_are_forgotten() -> None:
    past = past_of((0.0, 900), (169 * 3_600.0, 10), (170 * 3_600.0, 20))

    assert past.peaks_before(np.array([0.0]), below=1_000).tolist() == [10]


def test_a_peak_as_high_as_the_bound_does_not_count() -> None:
    past = past_of((0.0, 900), (600.0, 700), (1_200.0, 0))

    assert past.peaks_before(np.array([0.0]), below=900).tolist() == [700]


def test_memory_is_bounded_however_long_it_is_fed() -> None:
    past = Past()
    for step in range(3 * PEAKS):
        past.add(step * 300.0, step)

    assert np.count_nonzero(~np.isnan(past.points()[0])) <= past.points()[0].size
    assert past.peaks_before(np.array([0.0]), below=1e9).tolist() == [3 * PEAKS - 2]
