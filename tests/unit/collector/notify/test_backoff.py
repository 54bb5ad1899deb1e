"""When to try again."""

from hypothesis import given
from hypothesis import strategies as st

from collector.notify.backoff import BASE_MS, CAP_MS, retry_at_ms
from tests.builders import NOON_MS


def delay(attempts: int, chance: float) -> int | None:
    at_ms = retry_at_ms(attempts=attempts, created_ms=NOON_MS, now_ms=NOON_MS, chance=chance)
    return None if at_ms is None else at_ms - NOON_MS


def test_the_delay_doubles() -> None:
    assert [delay(attempts, 1.0) for attempts in (1, 2, 3, 4)] == [1_000, 2_000, 4_000, 8_000]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_delay_is_bounded_both_ways(attempts: int, chance: float) -> None:
    waited = delay(attempts, chance)
    assert waited is not None
    assert BASE_MS / 2 <= waited <= CAP_MS


def test_chance_spreads_what_failed_together() -> None:
    assert delay(5, 0.0) == 8_000
    assert delay(5, 1.0) == 16_000


def test_a_notice_a_day_old_is_given_up() -> None:
    day_ms = 86_400_000
    assert retry_at_ms(attempts=3, created_ms=NOON_MS, now_ms=NOON_MS + day_ms - 1, chance=0.5)
    assert retry_at_ms(attempts=3, created_ms=NOON_MS, now_ms=NOON_MS + day_ms, chance=0.5) is None
