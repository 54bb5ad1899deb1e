"""A fleet does not come back in step."""

from hypothesis import given
from hypothesis import strategies as st

from agent.backoff import FIRST_S, LONGEST_S, delay_s


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_delays_grow_to_a_bound_with_full_jitter(failures: int, chance: float) -> None:
    assert 0 <= delay_s(failures, chance) <= LONGEST_S
    assert delay_s(failures, chance) <= delay_s(failures + 1, chance)


def test_the_first_retry_comes_soon_and_the_hundredth_does_not() -> None:
    assert delay_s(1, 1.0) == FIRST_S
    assert delay_s(100, 1.0) == LONGEST_S
