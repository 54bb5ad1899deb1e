"""How the benchmark judges lateness."""

import math
import time

from benchmarks.crossing import LEVELS, Canary, Crossing, Filling, crossings_of, report
from tests.builders import NOON_MS, a_reading, a_snapshot


def test_a_threshold_is_seen_by_the_first_sample_that_shows_it() -> None:
    seen = [a_snapshot(a_reading(held), taken_at_ms=NOON_MS + at_ms) for at_ms, held in ((1000, 149), (2000, 210))]

    crossings = crossings_of(seen, [NOON_MS + 900, NOON_MS + 1500, NOON_MS + 3000, NOON_MS + 4000])

    assert crossings == [
        Crossing(0.5, 1.1),
        Crossing(0.7, 0.5),
        Crossing(0.85, math.inf),
        Crossing(1.0, math.inf),
    ]


def test_a_bar_that_is_missed_says_so() -> None:
    def filled(late_s: float) -> Filling:
        return Filling(3500.0, 3498.0, [Crossing(level, late_s) for level in LEVELS], 5, 0.2, 10.0, 0.01)

    assert "- met: the latest is 1.40 s" in report([filled(0.5), filled(1.4)])
    assert "- **MISSED**: the latest is 1.60 s" in report([filled(0.5), filled(1.6)])


def test_a_canary_notes_how_long_it_was_not_run() -> None:
    canary = Canary()
    with canary.watching():
        time.sleep(0.1)

    assert 0.0 < canary.worst_s < 60.0
