"""What is said of the time from a crossing to its page."""

from benchmarks.told import report


def test_the_bar_is_at_the_99th_percentile() -> None:
    assert "- met (bar: ≤ 3 s at p99)" in report([0.5] * 99 + [2.9])
    assert "**MISSED**" in report([0.5] * 50 + [4.0] * 50)
