"""Which stretch of time is shown."""

from datetime import UTC

import pytest

from collector.api.params import InvalidParameter, Params
from collector.trends.window import Window
from collector.web.period import HOUR_MS, PERIOD_KEYS, SPANS_MS, neighbours, period, zone_of
from tests.builders import NOON_MS


@pytest.mark.parametrize("name", SPANS_MS)
def test_every_window_has_a_few_hundred_points_at_most(name: str) -> None:
    shown, window = period(Params({"window": name}.items(), PERIOD_KEYS), NOON_MS, 10_000)
    assert (shown, window.to_ms - window.from_ms) == (name, SPANS_MS[name] + 0)
    assert 80 <= len(window) <= 130


def test_from_and_to_are_taken_as_given() -> None:
    query = {"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T11:00:00Z"}
    shown, window = period(Params(query.items(), PERIOD_KEYS), NOON_MS, 10_000)
    assert (shown, window.to_ms - window.from_ms) == ("", 3_600_000)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    query = {"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T09:00:00Z"}
    with pytest.raises(InvalidParameter):
        period(Params(query.items(), PERIOD_KEYS), NOON_MS, 10_000)


@pytest.mark.parametrize("cookie", ["", "../../etc/passwd", "No/Where", "x" * 99, "a\0b"])
def test_a_zone_nobody_knows_is_utc(cookie: str) -> None:
    assert zone_of(cookie) is UTC


def test_a_browsers_zone_is_known() -> None:
    assert str(zone_of("Europe%2FBerlin")) == "Europe/Berlin"


def test_windows_beside_one_that_ends_now() -> None:
    window = Window(NOON_MS - HOUR_MS, NOON_MS + 1, 30_000)
    found = dict(neighbours(window, NOON_MS))
    assert list(found) == ["← earlier", "half as long", "twice as long"]
    assert found["twice as long"] == {"from": "2026-11-22T10:00:00.000Z", "to": "2026-11-22T12:00:00.000Z"}


def test_windows_beside_one_that_is_over_are_within_what_has_been() -> None:
    window = Window(NOON_MS - 2 * HOUR_MS, NOON_MS - HOUR_MS, 30_000)
    found = dict(neighbours(window, NOON_MS))
    assert found["later →"]["to"] == "2026-11-22T11:30:00.000Z"
    assert found["half as long"] == {"from": "2026-11-22T10:15:00.000Z", "to": "2026-11-22T10:45:00.000Z"}


def test_a_minute_is_not_halved() -> None:
    assert "half as long" not in dict(neighbours(Window(NOON_MS, NOON_MS + 60_000, 1_000), NOON_MS + HOUR_MS))
