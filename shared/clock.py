"""The clocks, read at the edges only: pure code is handed times as values."""

import time


def wall_ms() -> int:
    """Milliseconds since the Unix epoch, UTC. May step back or jump; never use it to measure a duration."""
    return time.time_ns() // 1_000_000


def monotonic_s() -> float:
    """Seconds on a clock that never steps back. Only differences mean anything."""
    return time.monotonic()


def uptime_ms() -> int:
    """Milliseconds since the host's boot, the time it slept included: nobody sets this clock, it never steps back."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def until_next_s(period_s: float) -> float:
    """How long until the clock above is next at a multiple of `period_s`.

    Loops that sleep so wake up together: being woken costs an idle process more than what it then does.
    """
    return period_s - monotonic_s() % period_s
