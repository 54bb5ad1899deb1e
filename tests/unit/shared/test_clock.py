"""The clocks speak in the units they name."""

import time

import pytest

from shared import clock


def test_wall_time_is_milliseconds_and_monotonic_time_seconds() -> None:
    before = time.time()
    wall_ms = clock.wall_ms()
    assert before * 1000 - 1 <= wall_ms <= time.time() * 1000 + 1

    first = clock.monotonic_s()
    assert 0 <= clock.monotonic_s() - first < 60


def test_loops_that_sleep_until_the_next_multiple_wake_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def rest_s(now_s: float, period_s: float) -> float:
        monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
        return clock.until_next_s(period_s)

    assert (rest_s(100.0, 1.0), rest_s(100.25, 1.0), rest_s(100.25, 0.5)) == (1.0, 0.75, 0.25)


def test_the_uptime_is_milliseconds_and_goes_on() -> None:
    first = clock.uptime_ms()
    time.sleep(0.01)

    assert 9 <= clock.uptime_ms() - first < 60_000
