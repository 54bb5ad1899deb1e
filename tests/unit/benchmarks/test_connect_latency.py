"""The table of connect() follows from what was measured, and the knee shows even in a tiny range."""

import pytest

from benchmarks.connect_latency import Row, Stop, measure, quickest, row, table, us_text
from shared.ports import PortRange
from tests.netns import Netns


@pytest.mark.parametrize(
    ("us", "text"), [(None, ""), (4.26, "4.3"), (9.94, "9.9"), (10.0, "10"), (704.6, "705"), (1_306.7, "1,307")]
)
def test_times_are_told_to_the_digit_that_matters(us: float | None, text: str) -> None:
    assert us_text(us) == text


def test_a_row_tells_medians_and_the_mean_of_the_churn() -> None:
    plain = Stop(fill=[1.0, 2.0, 9.0], churn=[3.0, 4.0, 11.0], another=[5.0])
    ranged = Stop(fill=[100.0], churn=[6.0, 7.0, 8.0], another=[100.0])

    assert row(0.6, plain, ranged) == Row(0.6, fill=2.0, churn=4.0, churn_mean=6.0, own_range=7.0, another=5.0)


def test_when_full_failures_stand_for_both_manners() -> None:
    assert row(1.0, Stop([5.0], [], [1.0]), Stop([6.0], [], [1.0])) == Row(1.0, 5.0, None, None, 6.0, 1.0)


def test_the_quickest_round_counts_column_by_column() -> None:
    rounds = [Row(1.0, 5.0, None, None, 6.0, 9.0), Row(1.0, 7.0, None, None, 4.0, 8.0)]

    assert quickest(rounds) == Row(1.0, 5.0, None, None, 4.0, 8.0)


def test_the_table_has_a_line_a_stop_and_says_what_fails() -> None:
    lines = table([Row(0.995, 1_307.0, 791.0, 1_110.0, 18.0, 5.0), Row(1.0, 5_700.0, None, None, 5_000.0, 5.0)])

    assert lines.splitlines()[2:] == [
        "| 99.5 % | 1,307 | 791 | 1,110 | 18 | 5.0 |",
        "| all (fails) | 5,700 |  |  | 5,000 | 5.0 |",
    ]


def test_filling_passes_the_knee_on_the_running_kernel_and_ends_in_failure(netns: Netns) -> None:
    """Two thousand ports: few enough to be quick, enough that walking them takes ten times as long as not to."""
    before, after, full = measure(netns, PortRange(40_000, 41_999), stops=[0.4, 0.6])

    assert (before.held, after.held, full.held) == (0.4, 0.6, 1.0)
    assert before.fill < min(after.fill, full.fill)
    assert (full.churn, full.churn_mean) == (None, None)
