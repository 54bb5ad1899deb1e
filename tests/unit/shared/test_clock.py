"""The clocks speak in the units they name."""

import time

from shared import clock


def test_wall_time_is_milliseconds_and_monotonic_time_seconds() -> None:
    before = time.time()
    wall_ms = clock.wall_ms()
    assert before * 1000 - 1 <= wall_ms <= time.time() * 1000 + 1

    first = clock.monotonic_s()
    assert 0 <= clock.monotonic_s() - first < 60
