"""The table and the bars follow from what was measured."""

import pytest

from benchmarks.sampling import BAR_SOCKETS, MILLION, TRIES, Round, Row, bars, table
from benchmarks.ways import Cost


def a_round(*, ratio: float = 1.0, peak_bytes: int = 10_000_000, others: float = 0.0) -> Round:
    return Round(Cost(0.1, 0.1, 9_000_000), Cost(cpu_s=0.1 * ratio, wall_s=0.3, peak_bytes=peak_bytes), others)


def a_row(*, ratio: float = 1.0, peak_bytes: int = 10_000_000) -> Row:
    return Row([a_round(ratio=ratio, peak_bytes=peak_bytes)])


def test_a_row_tells_medians_and_the_highest_peak() -> None:
    row = Row([a_round(ratio=1.0), a_round(ratio=3.0, peak_bytes=19_000_000), a_round(ratio=1.5)])

    assert row.cells() == ["150.0", "300.0", "1.50", "1.00", "19", "3"]


def test_rounds_that_others_disturbed_do_not_count_where_there_are_quiet_ones() -> None:
    row = Row([a_round(ratio=1.2), a_round(ratio=9.0, others=0.5), a_round(ratio=9.0, others=0.5)])

    assert row.ratio == pytest.approx(1.2)
    assert row.cells()[-1] == "1"


def test_a_row_without_a_quiet_round_says_so() -> None:
    assert Row([a_round(others=0.5)]).cells()[-1] == "1, disturbed"


def test_a_disturbed_round_is_measured_again_within_reason() -> None:
    assert Row([a_round(others=0.5)]).wants(1)
    assert not Row([a_round(others=0.5)] * TRIES).wants(1)
    assert not Row([a_round()]).wants(1)


def test_a_way_that_did_not_run_says_so_in_the_table() -> None:
    lines = table("20,000 sockets", {"floor": a_row()}).splitlines()

    assert "| /proc/net/tcp in Python | not run |  |  |  |  |  |" in lines


def test_the_bars_are_judged_at_200_000_by_ratios_and_at_a_million_by_memory() -> None:
    many = {"portgauge": a_row(ratio=1.2), "ss-awk": a_row(ratio=3.0)}

    judged = bars({BAR_SOCKETS: many, MILLION: {"portgauge": a_row(peak_bytes=46_000_000)}})

    assert [met for met, _ in judged] == [True, True, False]
    assert "2.5 ×" in judged[1][1]


def test_a_size_that_was_not_measured_judges_nothing() -> None:
    assert bars({20_000: {"portgauge": a_row()}}) == []
