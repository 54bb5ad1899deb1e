"""Peaks and histograms over all hosts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.chunk import CorruptChunk
from collector.history.fleet import (
    BINS,
    BLOCK,
    MINUTES,
    difference,
    highest,
    histogram,
    pack_counts,
    pack_peaks,
    peaks_by_hour,
    quantile,
    unpack_counts,
    unpack_peaks,
)
from collector.history.rollup import PEAK_SCALE
from tests.builders import NOON_MS, a_snapshot
from tests.columns import a_chunk, gathered


def test_a_pools_peak_stands_in_its_block_and_hour() -> None:
    chunk = a_chunk(keys=[3, BLOCK + 5], held=[[1, 100], [50, None]], capacity=[[100, 100], [100, 100]])
    made = peaks_by_hour(chunk)
    assert made.keys() == {(NOON_MS, 0), (NOON_MS, 1)}
    assert made[NOON_MS, 0][3] == PEAK_SCALE + 1
    assert made[NOON_MS, 1][5] == PEAK_SCALE // 2 + 1
    assert made[NOON_MS, 0].nonzero()[0].tolist() == [3]


def test_an_idle_pool_was_seen_all_the_same() -> None:
    assert peaks_by_hour(a_chunk(keys=[3], held=[[0]], capacity=[[9]]))[NOON_MS, 0][3] == 1


def test_the_higher_peak_stays_however_often_it_is_told() -> None:
    low, high = (peaks_by_hour(a_chunk(keys=[3], held=[[held]], capacity=[[100]])) for held in (10, 20))
    once, again = highest([low, high]), highest([high, low, high])
    assert all((once[place] == again[place]).all() for place in once)
    assert once[NOON_MS, 0][3] == high[NOON_MS, 0][3]


def test_each_pool_counts_once_a_minute_by_its_highest() -> None:
    chunk = a_chunk(step_ms=30_000, held=[[10, 90, 20], [None, 0, None]], capacity=[[100] * 3, [100] * 3])
    [(hour, counts)] = histogram(chunk).items()
    assert hour == NOON_MS
    assert {(m, b): int(counts[m, b]) for m, b in np.argwhere(counts).tolist()} == {(0, 180): 1, (0, 0): 1, (1, 40): 1}


def test_a_pool_that_is_full_has_a_bin_of_its_own() -> None:
    chunk = a_chunk(held=[[100], [65_534]], capacity=[[100], [65_535]])
    assert histogram(chunk)[NOON_MS][0, BINS - 2 :].tolist() == [1, 1]


def test_nothing_listed_is_nothing_counted() -> None:
    chunk = gathered(a_snapshot())
    assert (histogram(chunk), peaks_by_hour(chunk)) == ({}, {})


def test_what_a_chunk_said_before_is_taken_off() -> None:
    old, new = (histogram(a_chunk(held=[held], capacity=[[100] * 2])) for held in ([10, None], [10, 50]))
    total = difference(old, {})[NOON_MS] + difference(new, old)[NOON_MS]
    assert (total == new[NOON_MS]).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_is_never_below_the_truth_and_half_a_percent_above_at_most(all_: list[float], share: float) -> None:
    counts = np.bincount([int(one * PEAK_SCALE) * (BINS - 1) // PEAK_SCALE for one in all_], minlength=BINS)
    truth = sorted(all_)[max(1, int(np.ceil(share * len(all_)))) - 1]
    told = quantile(counts, share)
    assert told is not None
    assert truth - 1e-4 <= told <= truth + 0.0051


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile(np.zeros(BINS, np.int64), 0.5) is None


def test_bytes_come_back_and_others_are_refused() -> None:
    block = np.arange(BLOCK, dtype=np.uint16)
    counts = np.arange(MINUTES * BINS).reshape(MINUTES, BINS)
    assert (unpack_peaks(pack_peaks(block)) == block).all()
    assert (unpack_counts(pack_counts(counts), MINUTES) == counts).all()
    for broken in (b"", b"x" * 40, pack_counts(counts)[:-9]):
        with pytest.raises(CorruptChunk):
            unpack_peaks(broken)
        with pytest.raises(CorruptChunk):
            unpack_counts(broken, MINUTES)
