"""How the daily peak of a pool grows, or why nobody can say. Pure.

Days are compared with days a whole number of weeks apart only, so that weekends are no fall and Mondays no rise. Of all
such pairs the slope is the median (Theil and Sen), with the bounds that Kendall's test by seasons allows (Hirsch, Slack
and Smith, Water Resources Research 18, 1982): a wild day bends nothing.

Five rules keep it honest:

1. Less than three weeks of known days say nothing.
2. It grows only where even the lower bound of the slope rises, where that adds up to a twentieth of the peak, and where
   each half of the days rises too: noise is no growth, and neither is what stepped up once.
3. The last four weeks are asked beside the last twelve. Where the two contradict each other, the last four are right:
   growth that has ended has ended.
4. Growth is carried no further than three times the days it was seen on.
5. What falls is not counted on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

WEEK: Final = 7
LONG_DAYS: Final = 84
RECENT_DAYS: Final = 28
LEAST_DAYS: Final = 21
REACH: Final = 3
LEAST_SHARE: Final = 0.05
"""Of the peak: what growth must have added over its days. Less is lost in the noise of daily peaks."""
HALF_SHARE: Final = 0.25
"""The part of the whole's slope that each half must show on its own."""
Z: Final = 1.645
"""Bounds that hold the slope nine times out of ten."""

Days = Sequence[int | None]
"""The most ports held on each day, oldest first, the last whole day last; None where nothing is known."""


class Tendency(StrEnum):
    """What is known of a pool's growth."""

    GROWING = "growing"
    STEADY = "steady"
    """It does not surely grow."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The peak of a pool's busiest weekday as of the last whole day, in ports, and its growth in ports a day.

    Nine times in ten the growth lies between `slowest` and `fastest`. Where it is not growing all three are 0.
    """

    trend: Tendency
    why: str
    peak: float
    known_days: int
    slowest: float = 0.0
    per_day: float = 0.0
    fastest: float = 0.0
    reach_days: int = 0
    """How far ahead it may be carried."""

    def scaled(self, share: float) -> "Growth":
        """The growth of a pool that gets this share of the load."""
        return replace(
            self,
            peak=self.peak * share,
            slowest=self.slowest * share,
            per_day=self.per_day * share,
            fastest=self.fastest * share,
        )


class _Slope(NamedTuple):
    low: float
    middle: float
    high: float


def growth(days: Days) -> Growth:
    """How the pool's peak grows."""
    days = _since_it_was_used(days)[-LONG_DAYS:]
    recent = days[-RECENT_DAYS:]
    known = [held for held in days if held is not None]
    peak = max((held for held in recent if held is not None), default=0)
    if sum(held is not None for held in recent) < LEAST_DAYS:
        why = f"{len(known)} days are known, {LEAST_DAYS} of the last {RECENT_DAYS} are needed"
        return Growth(trend=Tendency.UNKNOWN, why=why, peak=peak, known_days=len(known))
    return _judged(days, recent)


def _judged(days: Days, recent: Days) -> Growth:
    long, short = _slope(days), _slope(recent)
    known = sum(held is not None for held in days)
    asked = [(window, slope) for window, slope in _candidates((days, long), (recent, short)) if _matters(window, slope)]
    for window, slope in asked:
        if _both_halves_rise(window, slope):
            return _growing(window, recent, slope, known)
    if asked:
        why = "it rose, but not all the time: a step, or too new to tell"
        return Growth(trend=Tendency.UNKNOWN, why=why, peak=_busiest(recent, 0.0), known_days=known)
    return Growth(trend=Tendency.STEADY, why="it does not surely grow", peak=_busiest(recent, 0.0), known_days=known)


def _candidates(long: tuple[Days, _Slope], recent: tuple[Days, _Slope]) -> list[tuple[Days, _Slope]]:
    """The windows worth asking, the one to be believed first."""
    has_sped_up, has_slowed = recent[1].low > long[1].high, recent[1].high < long[1].low
    return [recent] if has_sped_up or has_slowed else [long, recent]


def _matters(window: Days, slope: _Slope) -> bool:
    """Whether it surely rises, and by so much that it can be told from noise."""
    return slope.low > 0 and slope.middle * len(window) >= LEAST_SHARE * _busiest(window, slope.middle)


def _growing(window: Days, recent: Days, slope: _Slope, known: int) -> Growth:
    seen = len(window)
    return Growth(
        trend=Tendency.GROWING,
        why=f"seen on {sum(held is not None for held in window)} of {seen} days",
        peak=_busiest(recent, slope.middle),
        known_days=known,
        slowest=slope.low,
        per_day=slope.middle,
        fastest=slope.high,
        reach_days=REACH * seen,
    )


def _since_it_was_used(days: Days) -> Days:
    """Days before the pool first held anything are no part of its growth."""
    return days[next((place for place, held in enumerate(days) if held), len(days)) :]


def _slope(days: Days) -> _Slope:
    """Ports a day, by days whole weeks apart; all 0 where there are none such."""
    seasons = [[(at, held) for at, held in _places(days) if at % WEEK == weekday] for weekday in range(WEEK)]
    each = sorted(
        (later - earlier) / (after - before)
        for season in seasons
        for place, (before, earlier) in enumerate(season)
        for after, later in season[place + 1 :]
    )
    if not each:
        return _Slope(0.0, 0.0, 0.0)
    counts = [len(season) for season in seasons]
    spread = Z * math.sqrt(sum(count * (count - 1) * (2 * count + 5) for count in counts) / 18)
    low, high = math.floor((len(each) - spread) / 2), math.ceil((len(each) + spread) / 2)
    return _Slope(each[max(0, low)], median(each), each[min(len(each) - 1, high)])


def _both_halves_rise(days: Days, whole: _Slope) -> bool:
    middle = len(days) // 2
    return all(_slope(half).middle >= HALF_SHARE * whole.middle for half in (days[:middle], days[middle:]))


def _busiest(days: Days, per_day: float) -> float:
    """The peak of the busiest weekday, brought to the last day by the growth."""
    last = len(days) - 1
    by_weekday: dict[int, list[float]] = {}
    for at, held in _places(days):
        by_weekday.setdefault(at % WEEK, []).append(held + per_day * (last - at))
    return max((median(found) for found in by_weekday.values()), default=0.0)


def _places(days: Days) -> list[tuple[int, int]]:
    return [(at, held) for at, held in enumerate(days) if held is not None]
