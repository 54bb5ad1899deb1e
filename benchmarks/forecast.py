"""How early a forecast tells, and how often in vain: ours beside Prometheus's line. `python -m benchmarks.forecast`.

Both are asked the same of the same pools (benchmarks/incidents.py): will it be spent within 15 minutes? What is meant
by Prometheus is `predict_linear(held[1h], 900) >= capacity`, scraped and evaluated every 15 s, computed here by the
same least squares.
"""

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from benchmarks.document import measured_by, write_section
from benchmarks.incidents import CAPACITY, HOUR_S, INCIDENTS, LIVES, WEEK_S, Scene, noisy, readings
from collector.forecast import Forecast, Past, forecast
from collector.forecast.past import Floats

HORIZON_S: Final = 900.0
TRUE_WITHIN_S: Final = HOUR_S
"""An alarm is false where the pool is not spent within the hour: four times what it foretold."""
ONE_ALARM_S: Final = 300.0
"""Alarms less than this apart are one to whoever hears them."""
SCRAPE_S: Final = 15.0


class Score(NamedTuple):
    """How a scene went: warning time before exhaustion (0: none; None: never spent), and alarms in vain."""

    lead_s: float | None
    false: int


class Row(NamedTuple):
    """One kind of scene over all seeds."""

    name: str
    lead_s: float | None
    false_a_week: float


def ours(scene: Scene, until_s: float, draw: random.Random) -> Iterator[float]:
    """When our forecast says less than 15 minutes."""
    past = Past()
    for at_s, held in readings(scene, until_s, draw):
        past.add(at_s, held)
        found = forecast(past, held, CAPACITY)
        if isinstance(found, Forecast) and found.s <= HORIZON_S:
            yield at_s


def line(scene: Scene, until_s: float, draw: random.Random) -> Iterator[float]:
    """When the least-squares line over the last hour does. The sums run along, so that a week takes a moment."""
    at_s = np.arange(scene.begins_s, until_s, SCRAPE_S) - scene.begins_s
    held = np.array([noisy(scene.held(float(s)), draw) for s in at_s + scene.begins_s], dtype=np.float64)
    count, s, h, ss, sh = (
        _over_the_last_hour(values) for values in (np.ones_like(at_s), at_s, held, at_s * at_s, at_s * held)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (count * sh - s * h) / (count * ss - s * s)
    foretold = (h + slope * (count * (at_s + HORIZON_S) - s)) / count
    yield from (at_s + scene.begins_s)[1:][foretold[1:] >= CAPACITY].tolist()


def _over_the_last_hour(values: Floats) -> Floats:
    """For each scrape the sum over those of its last hour."""
    sums = np.cumsum(values)
    scrapes = int(HOUR_S / SCRAPE_S) + 1
    sums[scrapes:] -= sums[:-scrapes].copy()
    return sums


def score(alarms: Iterable[float], scene: Scene, spent_s: float | None) -> Score:
    """Judge alarms by what came: before `judged_from_s` nothing counts, nor what comes once the pool is spent."""
    counted = [at_s for at_s in alarms if at_s >= scene.judged_from_s and (spent_s is None or at_s < spent_s)]
    if spent_s is None:
        return Score(None, heard(counted))
    in_time = [at_s for at_s in counted if spent_s - at_s <= TRUE_WITHIN_S]
    return Score(spent_s - in_time[0] if in_time else 0.0, heard(counted[: len(counted) - len(in_time)]))


def heard(alarms: Sequence[float]) -> int:
    """How many alarms people hear."""
    return sum(
        before is None or at_s - before > ONE_ALARM_S for before, at_s in zip([None, *alarms], alarms, strict=False)
    )


def rows(name: str, seeds: int) -> tuple[Row, Row]:
    """(ours, the line's) for one kind of scene."""
    scores: list[tuple[Score, Score]] = []
    weeks = 0.0
    for seed in range(seeds):
        scene = {**INCIDENTS, **LIVES}[name](random.Random(seed))
        spent_s = scene.spent_s() if name in INCIDENTS else None
        until_s = scene.ends_s if spent_s is None else spent_s
        weeks += (until_s - scene.judged_from_s) / WEEK_S
        first, second = (score(tell(scene, until_s, random.Random(seed)), scene, spent_s) for tell in (ours, line))
        scores.append((first, second))
    one, other = (_row(name, [pair[which] for pair in scores], weeks) for which in (0, 1))
    return one, other


def _row(name: str, scores: Sequence[Score], weeks: float) -> Row:
    leads = [one.lead_s for one in scores if one.lead_s is not None]
    return Row(name, median(leads) if leads else None, sum(one.false for one in scores) / weeks)


def table(pairs: Sequence[tuple[Row, Row]]) -> str:
    """Markdown: the incidents with their lead, the lives with their alarms in vain."""
    lines = [
        "| incident | told before, ours | told before, line | in vain, ours | in vain, line |",
        "| --- | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {one.name} | {_s(one.lead_s)} | {_s(other.lead_s)} | {one.false_a_week:.1f} | {other.false_a_week:.1f} |"
        for one, other in pairs
    ]
    return "\n".join(lines)


def _s(lead_s: float | None) -> str:
    return "never spent" if lead_s is None else f"{lead_s:,.0f} s"


def verdict(pairs: Sequence[tuple[Row, Row]]) -> str:
    """Whether the bar is met: earlier in every incident, and no more alarms in vain over everything."""
    earlier = all(
        one.lead_s > other.lead_s for one, other in pairs if one.lead_s is not None and other.lead_s is not None
    )
    false = [sum(pair[which].false_a_week for pair in pairs) / len(pairs) for which in (0, 1)]
    fewer = "met" if false[0] < false[1] else "NOT met"
    return "\n".join(
        [
            f"- {'met' if earlier else 'NOT met'}: told earlier in every incident",
            f"- {fewer}: alarms in vain, {false[0]:.2f} a pool-week against {false[1]:.2f}",
        ]
    )


def main() -> None:
    """Print the table; with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    pairs = [rows(name, arguments.seeds) for name in [*INCIDENTS, *LIVES]]
    text = f"{measured_by('benchmarks.forecast')}\n\n{table(pairs)}\n\n{verdict(pairs)}"
    print(text)
    if arguments.write:
        write_section("forecast", text)


if __name__ == "__main__":
    main()
