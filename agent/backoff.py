"""So that a fleet does not speak in step: how long to wait before trying again, and when within the interval. Pure."""

import hashlib

FIRST_S = 4.0
LONGEST_S = 8.0
"""Short windows first would bring the lucky back at once and leave a tail of half a minute: for outages of some seconds
the peak of reconnects was five times their mean. With these two it is two, and all are back after 8 s."""

SPREAD_S = 60.0


def delay_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` (1 or more) in a row; `chance` is uniform in 0.0 to 1.0."""
    ceiling_s: float = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 16))
    return ceiling_s * chance


def ahead_s(host: str, interval_s: float, wall_s: float) -> float:
    """How much sooner than an interval after its first sample a host takes the next one, which sets all that follow.

    Each host has a phase of its own, the same after every start; a fleet that is started at once reports spread out.
    `wall_s` is Unix time. At most a minute: over that long even a very large fleet is spread thinly.
    """
    spread_s = min(interval_s, SPREAD_S)
    phase = int.from_bytes(hashlib.blake2b(host.encode(), digest_size=4).digest()) / 2**32
    return (wall_s - phase * spread_s) % spread_s
