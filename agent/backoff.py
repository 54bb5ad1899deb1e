"""How long to wait before trying again: exponential with full jitter, so that a fleet does not return in step. Pure."""

FIRST_S = 0.5
LONGEST_S = 30.0


def delay_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` (1 or more) in a row; `chance` is uniform in 0.0 to 1.0."""
    ceiling_s: float = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 16))
    return ceiling_s * chance
