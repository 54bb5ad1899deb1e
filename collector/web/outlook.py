"""When a pool will be spent, by what history and log hold of it. Pure."""

from collections.abc import Sequence

from collector.alerts.words import duration
from collector.forecast.judge import Forecast, Unforeseen, forecast
from collector.forecast.past import Past
from collector.trends.series import Point
from shared.model import Reading


def foretold(
    minutes: Sequence[Point], trail: Sequence[tuple[int, Reading]], latest: Reading | None
) -> Forecast | Unforeseen:
    """By the peaks of past minutes, and the readings (when in ms, reading) of the last ones, both oldest first."""
    if latest is None:
        return Unforeseen.NO_HISTORY
    past, begin_ms = Past(), trail[0][0] if trail else None
    for point in minutes:
        if point.max is not None and (begin_ms is None or point.at_ms < begin_ms):
            past.add(point.at_ms / 1000, point.max)
    for at_ms, reading in trail:
        past.add(at_ms / 1000, reading.held)
    return forecast(past, latest.held, latest.capacity)


def outlook_words(found: Forecast | Unforeseen) -> str:
    """`spent in 8–10 min (+6.8 ports/s)`, or why nobody can say."""
    if isinstance(found, Unforeseen):
        return f"no forecast: {found.value}"
    if found.s <= 0:
        return "spent: nothing is left"
    early, late = (duration(round(one * 1000)) for one in (found.earliest_s, found.latest_s))
    span = early if early == late else f"{early} to {late}"
    return f"spent in about {duration(round(found.s * 1000))} ({span}), at +{found.rate:.1f} ports/s"
