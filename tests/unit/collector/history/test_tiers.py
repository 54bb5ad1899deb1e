"""Tiers of history."""

from itertools import pairwise

from collector.history.tiers import BELOW, DAY_MS, TIERS


def test_spans_lie_within_one_another() -> None:
    """So that a roll-up is made of whole chunks, and a partition is dropped without cutting one."""
    for finer, coarser in pairwise(TIERS):
        assert BELOW[coarser] is finer
        assert coarser.span_ms % finer.span_ms == 0
        assert finer.span_ms % coarser.step_ms == 0 or coarser.step_ms % finer.span_ms == 0
    assert all(tier.partition_ms % tier.span_ms == 0 for tier in TIERS)


def test_the_chunks_of_a_window_begin_at_or_before_it() -> None:
    tier = TIERS[1]
    assert list(tier.starts(DAY_MS + 1, DAY_MS + tier.span_ms + 1)) == [DAY_MS, DAY_MS + tier.span_ms]
    assert tier.start_of(DAY_MS + tier.span_ms - 1) == DAY_MS
