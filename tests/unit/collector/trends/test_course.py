"""Pools hour by hour."""

import numpy as np
import pytest

from collector.history.fleet import BLOCK, pack_peaks
from collector.history.rollup import PEAK_SCALE
from collector.history.tiers import HOUR_MS
from collector.trends.course import by_host, courses, fullest
from tests.builders import NOON_MS

HOURS = [NOON_MS, NOON_MS + HOUR_MS]


def a_block(**peaks: int) -> bytes:
    block = np.zeros(BLOCK, np.uint16)
    for number, peak in peaks.items():
        block[int(number.removeprefix("n"))] = peak
    return pack_peaks(block)


def test_an_hour_without_a_reading_is_unknown_and_an_empty_pool_is_not() -> None:
    blocks = [(HOURS[0], 0, a_block(n1=1, n2=PEAK_SCALE + 1)), (HOURS[1], 1, a_block(n3=PEAK_SCALE // 2 + 1))]
    found = courses(blocks, {1, 2, BLOCK + 3}, HOURS)
    assert found[1] == [0.0, None]
    assert found[2] == [1.0, None]
    assert found[BLOCK + 3] == [None, pytest.approx(0.5)]


def test_blocks_that_cannot_be_read_or_are_not_asked_for_are_left_out() -> None:
    blocks = [(HOURS[0], 0, b"broken"), (HOURS[0] - HOUR_MS, 0, a_block(n1=9)), (HOURS[1], 0, a_block(n1=1))]
    assert courses(blocks, {1}, HOURS) == {1: [None, 0.0]}


def test_a_host_is_as_full_as_its_fullest_pool() -> None:
    assert fullest([[0.1, None, None], [0.3, 0.2, None]]) == [0.3, 0.2, None]
    assert by_host({1: [0.1], 2: [0.4]}, {"lb1": {1, 2}, "lb2": {7}}) == {"lb1": [0.4], "lb2": []}
