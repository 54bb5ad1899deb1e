"""The highest of many, against a sort by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.fleet import BLOCK, pack_peaks
from collector.history.rollup import PEAK_SCALE
from collector.history.tiers import HOUR_MS
from collector.trends.peaks import Climb, Highest, Peak, climbers

SEEN = st.dictionaries(st.integers(0, 2 * BLOCK - 1), st.integers(1, PEAK_SCALE + 1), max_size=20)


def packed(hour: int, seen: dict[int, int]) -> list[tuple[int, int, bytes]]:
    blocks = np.zeros((2, BLOCK), np.uint16)
    for number, peak in seen.items():
        blocks[number // BLOCK, number % BLOCK] = peak
    return [(hour * HOUR_MS, number, pack_peaks(block)) for number, block in enumerate(blocks)]


@given(st.lists(SEEN, min_size=1, max_size=4), st.integers(1, 30))
def test_the_top_is_the_top_of_all_hours(hours: list[dict[int, int]], limit: int) -> None:
    found = Highest([block for hour, seen in enumerate(hours) for block in packed(hour, seen)]).top(limit)
    by_hand: dict[int, int] = {}
    for seen in hours:
        for number, peak in seen.items():
            by_hand[number] = max(peak, by_hand.get(number, 0))
    wanted = sorted(by_hand.values(), reverse=True)[:limit]
    assert [one.occupancy for one in found] == [round((peak - 1) / PEAK_SCALE, 6) for peak in wanted]
    for one in found:
        assert hours[one.hour_ms // HOUR_MS][one.number] == by_hand[one.number]


def test_the_first_hour_of_a_peak_is_told() -> None:
    highest = Highest([*packed(2, {5: 9}), *packed(1, {5: 9}), *packed(0, {5: 3})])
    assert highest.top(1) == [Peak(5, round(8 / PEAK_SCALE, 6), HOUR_MS)]


def test_of_equal_ones_the_lower_number_comes_first() -> None:
    """What a limit cuts off must not be by chance."""
    highest = Highest(packed(0, {9: 5, BLOCK + 1: 5, 2: 5, 4: 7}))
    assert [one.number for one in highest.top(3)] == [4, 2, 9]
    assert [one.number for one in highest.top(2, among=[BLOCK + 1, 9, 3 * BLOCK])] == [9, BLOCK + 1]


def test_who_was_seen_at_all() -> None:
    highest = Highest([*packed(0, {BLOCK + 3: 1}), *packed(1, {2: 9})])
    assert highest.seen().tolist() == [2, BLOCK + 3]
    assert highest.seen([BLOCK + 3, 7, 9 * BLOCK]).tolist() == [BLOCK + 3]
    assert Highest([]).seen().tolist() == []


def test_only_those_asked_for_are_ranked() -> None:
    assert [one.number for one in Highest(packed(0, {1: 3, 2: 9, 3: 5})).top(9, among={1, 3, 77})] == [3, 1]


def test_climbers_are_those_seen_before_and_after_that_rose() -> None:
    before = Highest(packed(0, {1: 1, 2: 100, 3: 50, 4: 9}))
    after = Highest(packed(1, {1: 2, 2: 90, 3: 500, 5: 900}))
    found = climbers(before, after, 9)
    assert [one.number for one in found] == [3, 1]
    assert found[0] == Climb(3, round(49 / PEAK_SCALE, 6), round(499 / PEAK_SCALE, 6))
    assert [one.number for one in climbers(before, after, 9, among=[1, 2, 5])] == [1]


@pytest.mark.parametrize("limit", [1, 5])
def test_of_nothing_there_is_no_top(limit: int) -> None:
    assert Highest([]).top(limit) == []
    assert climbers(Highest([]), Highest([]), limit) == []


def test_a_block_that_cannot_be_read_is_told_and_left_out() -> None:
    highest = Highest([(HOUR_MS, 0, b"broken"), *packed(0, {1: 5})])
    assert highest.damaged == [HOUR_MS]
    assert len(highest.top(9)) == 1
