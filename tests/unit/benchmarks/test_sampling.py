"""The table and the bars follow from what was measured."""

from benchmarks.sampling import BAR_SOCKETS, MILLION, Row, bars, table
from benchmarks.ways import Cost


def a_row(*, ratio: float = 1.0, peak_bytes: int = 10_000_000) -> Row:
    return Row([Cost(cpu_s=0.2, wall_s=0.3, peak_bytes=peak_bytes)], [ratio])


def test_a_row_tells_medians_and_the_highest_peak() -> None:
    costs = [Cost(0.1, 0.2, 5_000_000), Cost(0.3, 0.4, 9_000_000), Cost(0.2, 0.3, 7_000_000)]

    assert Row(costs, [1.0, 3.0, 1.5]).cells() == ["200.0", "300.0", "1.50", "9", "3"]


def test_a_way_that_did_not_run_says_so_in_the_table() -> None:
    lines = table(20_000, {"floor": a_row()}).splitlines()

    assert "| /proc/net/tcp in Python | not run |  |  |  |  |" in lines


def test_the_bars_are_judged_at_200_000_by_ratios_and_at_a_million_by_memory() -> None:
    many = {"portgauge": a_row(ratio=1.2), "ss-awk": a_row(ratio=3.0)}

    judged = bars({BAR_SOCKETS: many, MILLION: {"portgauge": a_row(peak_bytes=46_000_000)}})

    assert [met for met, _ in judged] == [True, True, False]
    assert "2.5 ×" in judged[1][1]


def test_a_size_that_was_not_measured_judges_nothing() -> None:
    assert bars({20_000: {"portgauge": a_row()}}) == []
