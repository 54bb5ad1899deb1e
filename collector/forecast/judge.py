"""Seconds until a pool is spent, or why nobody can say. Pure.

Five rules keep it honest:

1. A trend counts only where even the lower bound of its slope rises.
2. A trend is carried no further than two thirds of the time it has been seen: what has risen for three minutes may be
   foretold two. So a deploy's step never becomes an outage on paper, and a leak of a day is told in time.
3. Only a pool at least half full is judged; below that, fifteen minutes are nobody's business.
4. What the pool has done before and turned back from is no news: while `held` is not above the highest peak of the
   week before the trend began, tides and sawtooths are left in peace, unless that peak had all but spent the pool.
5. Where nothing of this holds, the answer is unknown, with the reason; never a number for the sake of one.

Each was weighed by `python -m benchmarks.forecast`; docs/decisions/0057 has what it gained.
"""

from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from collector.forecast.past import Floats, Past
from collector.forecast.slope import Slopes, slopes

USAGE_FLOOR: Final = 0.50
LEAST_POINTS: Final = 4
"""With fewer, no order of rises is surprising enough: Sen's lower bound does not exist."""
EVIDENCE: Final = 1.5
"""How many times the time foretold a trend must have been seen."""
PEAK_MARGIN: Final = 1.15
PEAK_VOUCHES_BELOW: Final = 0.97
"""A peak this high did not turn back; it was all but spent."""
PEAK_VOUCHES_TO: Final = 0.90
"""Above this occupancy no memory keeps us quiet."""


class Unforeseen(StrEnum):
    """Why there is no forecast."""

    LITTLE_USED = "less than half of the ports are held"
    NO_HISTORY = "too few readings yet"
    NOT_RISING = "no trend that surely rises"
    TOO_FAR = "rising, but for too short a time to say when it ends"
    SEEN_BEFORE = "rising, but not beyond what turned back in the last week"


class Forecast(NamedTuple):
    """Seconds from the latest reading until the pool is spent: most likely `s`; 9 times in 10 between the others."""

    earliest_s: float
    s: float
    latest_s: float
    rate: float
    """Ports a second."""
    seen_for_s: float
    """How long this trend has been seen."""


SPENT: Final = Forecast(0.0, 0.0, 0.0, 0.0, 0.0)


def forecast(past: Past, held: int, capacity: int) -> Forecast | Unforeseen:
    """When `capacity` will be spent, by the clearest trend that may be believed. `held` is the latest reading."""
    if held >= capacity:
        return SPENT
    if held < USAGE_FLOOR * capacity:
        return Unforeseen.LITTLE_USED
    trend = slopes(*past.points())
    is_judged = trend.points >= LEAST_POINTS
    rises = is_judged & (trend.low > 0)
    left_s = (capacity - held) / np.where(rises, trend.middle, np.nan)
    is_seen = trend.span_s >= EVIDENCE * left_s
    is_news = is_seen & (held > _vouched(past, trend, capacity))
    for condition, otherwise in (
        (is_judged, Unforeseen.NO_HISTORY),
        (rises, Unforeseen.NOT_RISING),
        (is_seen, Unforeseen.TOO_FAR),
        (is_news, Unforeseen.SEEN_BEFORE),
    ):
        if not condition.any():
            return otherwise
    # The soonest would be the one that noise bent most.
    vagueness = np.where(is_news, (trend.high - trend.low) * left_s, np.inf)
    return _told(trend, int(np.argmin(vagueness)), capacity - held)


def _vouched(past: Past, trend: Slopes, capacity: int) -> Floats:
    """For each window, the `held` up to which the week before it vouches that a rise turns back."""
    peaks = past.peaks_before(trend.span_s, PEAK_VOUCHES_BELOW * capacity)
    vouched: Floats = np.minimum(peaks * PEAK_MARGIN, PEAK_VOUCHES_TO * capacity)
    return vouched


def _told(trend: Slopes, window: int, left: int) -> Forecast:
    low, middle, high = (float(bound[window]) for bound in (trend.low, trend.middle, trend.high))
    return Forecast(left / high, left / middle, left / low, middle, float(trend.span_s[window]))
