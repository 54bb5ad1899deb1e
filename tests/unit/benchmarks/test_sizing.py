"""The table of sizes is arithmetic over what was measured."""

import pytest

from benchmarks.document import DOCUMENT
from benchmarks.sizing import (
    ROLLOUT,
    Costs,
    NoFigure,
    Shared,
    Whole,
    costs_in,
    need,
    shared_in,
    shared_table,
    table,
    wholes_in,
)
from collector.history.tiers import Keep

COSTS = Costs(ingest_cpu_s=2.0, postgresql_cpu_s=1.5, hot_bytes=40.0, raw_bytes=1.5, minute_bytes=4.0, hour_bytes=10.0)


def test_a_thousand_hosts_are_five_thousand_readings_a_second() -> None:
    one = need(1_000, COSTS, Keep())

    assert (one.readings_per_s, one.wire_bytes_per_s, one.cores) == (5_000, 200_000, 0.01)
    assert one.raw_gb == pytest.approx(5_000 * 48 * 3_600 * 1.5 / 1e9)
    assert one.minute_gb == pytest.approx(50_000 * 30 * 24 * 60 * 4.0 / 1e9)
    assert one.hour_gb == pytest.approx(50_000 * 730 * 24 * 10.0 / 1e9)


def test_the_figures_are_those_of_the_page() -> None:
    costs = costs_in(DOCUMENT.read_text())

    assert min(costs.ingest_cpu_s, costs.hot_bytes, costs.raw_bytes, costs.minute_bytes, costs.hour_bytes) > 0
    assert costs.raw_bytes < costs.hot_bytes
    assert 0 < costs.postgresql_cpu_s != costs.ingest_cpu_s


def test_a_figure_that_is_gone_is_said() -> None:
    with pytest.raises(NoFigure, match="portgauge, SQLite"):
        costs_in("# Performance\n")


FLEET = """
| 1,000 | 99.9% | 9 MB | not this one, it is of another section |
<!-- fleet: begin -->
| hosts | CPU of a core | resident |
|--:|--:|--:|
| 1,000 | 24.2% | 169 MB | 64 ms |
| 10,000 | 89.1% | 1,313 MB | 626 ms |
<!-- fleet: end -->
"""


def test_cores_and_memory_of_a_whole_collector_are_those_of_the_paced_fleet() -> None:
    wholes = wholes_in(FLEET)

    assert wholes == {1_000: Whole(cpu_percent=24.2, memory_mb=169), 10_000: Whole(cpu_percent=89.1, memory_mb=1_313)}
    by_hosts = {row.split(" | ")[0]: row for row in table(COSTS, wholes, Keep())}
    assert "| 0.24 | 169 MB |" in by_hosts["| 1,000"]
    assert "| – | – |" in by_hosts["| 5,000"], "nobody measured it"
    with pytest.raises(NoFigure, match="paced fleet"):
        wholes_in("# Performance\n")


OVER_A_QUARTER_OF_AN_HOUR = """
<!-- fleet-long: begin -->
| 10,000 | 57.6% | 292 MB | 203 ms |
<!-- fleet-long: end -->
"""


def test_of_a_fleet_that_ran_for_longer_those_figures_are_taken() -> None:
    assert wholes_in(FLEET + OVER_A_QUARTER_OF_AN_HOUR) == {
        1_000: Whole(cpu_percent=24.2, memory_mb=169),
        10_000: Whole(cpu_percent=57.6, memory_mb=292),
    }


OVER_POSTGRESQL = """
<!-- fleet-postgresql: begin -->
| hosts | CPU of a core | resident |
|--:|--:|--:|
| 10,000 | 18.0% + 19.0% + 48.5% | 193 MB + 192 MB + 1,265 MB | 2475 ms |
<!-- fleet-postgresql: end -->
"""


def test_over_postgresql_those_that_take_in_are_told_apart_from_the_leader() -> None:
    found = shared_in(FLEET + OVER_POSTGRESQL)

    takers = (Whole(cpu_percent=18.0, memory_mb=193), Whole(cpu_percent=19.0, memory_mb=192))
    assert found == {10_000: Shared(takers=takers, leader=Whole(cpu_percent=48.5, memory_mb=1_265))}
    (*_, row) = shared_table(COSTS, found)
    assert row == "| 10,000 | 2 | 0.19 | 193 MB | 0.48 | 1,265 MB | 0.85 | 0.07 |"
    with pytest.raises(NoFigure, match="fleet-postgresql"):
        shared_in(FLEET)


def test_rollout_has_a_place_for_the_tables() -> None:
    """Their figures may be older than those of the page: `--write` brings them up to date."""
    text = ROLLOUT.read_text()

    for name, (heading, *_) in (
        ("sizing", table(COSTS, {}, Keep())),
        ("sizing-postgresql", shared_table(COSTS, {})),
    ):
        assert f"<!-- {name}: begin -->\n{heading}\n" in text
