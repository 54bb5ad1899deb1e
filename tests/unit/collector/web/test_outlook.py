"""When a pool will be spent, in words."""

from collector.forecast.judge import SPENT, Forecast, Unforeseen
from collector.trends.series import Point
from collector.web.outlook import foretold, outlook_words
from tests.builders import NOON_MS, a_reading


def test_a_pool_that_fills_is_foretold_from_its_minutes_and_its_last_readings() -> None:
    minutes = [Point(NOON_MS + minute * 60_000, 0, 0.0, 100 + 10 * minute, 300) for minute in range(15)]
    trail = [(NOON_MS + 900_000 + step * 10_000, a_reading(250 + step)) for step in range(6)]
    found = foretold(minutes, trail, trail[-1][1])
    assert isinstance(found, Forecast)
    assert found.s > 0


def test_why_nobody_can_say_is_said() -> None:
    assert foretold([], [], None) is Unforeseen.NO_HISTORY
    assert outlook_words(Unforeseen.NO_HISTORY) == "no forecast: too few readings yet"


def test_a_forecast_is_a_span_with_its_rate() -> None:
    found = Forecast(480.0, 540.0, 600.0, 6.8, 900.0)
    assert outlook_words(found) == "spent in about 9 min (8 min to 10 min), at +6.8 ports/s"
    assert outlook_words(SPENT) == "spent: nothing is left"
