"""The clocks, read at the edges only: pure code is handed times as values."""

import time


def wall_ms() -> int:
    """Milliseconds since the Unix epoch, UTC. May step back or jump; never use it to measure a duration."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Seconds on a clock that never steps back. Only differences mean anything."""
    return time.monotonic()
