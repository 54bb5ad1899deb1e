"""When to try again, and when not to. Pure."""

BASE_MS = 1_000
CAP_MS = 300_000
GIVE_UP_MS = 24 * 3_600_000
"""A notice a day old tells nobody anything they need to know now."""


def retry_at_ms(*, attempts: int, created_ms: int, now_ms: int, chance: float) -> int | None:
    """When to try again after `attempts` failures, None for never.

    The delay doubles from BASE_MS up to CAP_MS; half of it is left to `chance` (0.0 to 1.0), so that what failed
    together is not tried together, and no retry comes at once.
    """
    if now_ms - created_ms >= GIVE_UP_MS:
        return None
    delay_ms = min(CAP_MS, BASE_MS << min(attempts - 1, 20))
    return now_ms + round(delay_ms * (0.5 + chance / 2))
