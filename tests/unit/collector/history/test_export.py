"""Chunks as CSV."""

import csv
import io

from collector.history.export import header, lines, losses
from collector.history.rollup import rolled
from collector.history.tiers import MINUTE, MINUTE_MS, RAW
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.columns import gathered, numbered

STORY = [a_snapshot(a_reading(held), seq=held, taken_at_ms=NOON_MS + held * 1_000) for held in (10, 20, 70)]
NAMED = {number: pool for pool, number in numbered(*STORY).items()}


def test_raw_lines_have_every_value() -> None:
    text = header(RAW) + lines(gathered(*STORY), RAW, ("lb1", "edge"), NAMED, (NOON_MS, NOON_MS + 60_000))
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["host"], first["peer_port"], first["held"], first["ESTABLISHED"]) == ("lb1", "9001", "10", "10")
    assert second["at_ms"] == str(NOON_MS + 20_000)


def test_rolled_up_lines_have_means_and_peaks() -> None:
    chunk = rolled([gathered(*STORY)], MINUTE_MS, NAMED)
    text = header(MINUTE) + lines(chunk, MINUTE, ("lb1", ""), NAMED, (0, 2**52))
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["count"], first["held_mean"], first["held_max"]) == ("2", "15.0", "20")
    assert (second["held_min"], second["headroom_min"]) == ("70", "230")
    assert float(first["peak_occupancy"]) > 20 / 300


def test_a_stretch_that_is_lost_is_a_line_with_no_pool_in_it() -> None:
    for tier in (RAW, MINUTE):
        [row] = csv.DictReader(io.StringIO(header(tier) + losses(tier, ("lb1", "edge"), [(5, 7)])))
        assert {name: value for name, value in row.items() if value} == {
            "at_ms": "5",
            "host": "lb1",
            "role": "edge",
            "lost_until_ms": "7",
        }


def test_a_line_about_a_pool_ends_with_nothing() -> None:
    """Whoever only counts lines that end with a number knows how many tell of a loss."""
    text = lines(gathered(*STORY), RAW, ("lb1", "edge"), NAMED, (0, 2**52))
    assert all(line.endswith(",") for line in text.splitlines())
