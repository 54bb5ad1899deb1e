"""A fleet does not come back in step."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backoff import FIRST_S, LONGEST_S, SPREAD_S, ahead_s, delay_s


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_delays_grow_to_a_bound_with_full_jitter(failures: int, chance: float) -> None:
    assert 0 <= delay_s(failures, chance) <= LONGEST_S
    assert delay_s(failures, chance) <= delay_s(failures + 1, chance)


def test_the_first_retry_comes_sooner_than_the_hundredth() -> None:
    assert delay_s(1, 1.0) == FIRST_S
    assert delay_s(100, 1.0) == LONGEST_S


@pytest.mark.parametrize("outage_s", [5.0, 30.0, 300.0])
@pytest.mark.parametrize("interval_s", [1.0, 10.0])
def test_a_fleet_comes_back_spread_out_and_within_seconds(outage_s: float, interval_s: float) -> None:
    """Each notices the outage at its next report. What the herd of real agents shows, for more outages than one."""
    chance = random.Random(1)
    back = sorted(returned_s(chance, outage_s, interval_s) for _ in range(10_000))

    seconds = Counter(int(at_s - outage_s) for at_s in back)
    assert max(seconds.values()) / (len(back) / len(seconds)) < 3
    assert back[-1] <= max(outage_s, interval_s) + LONGEST_S


def returned_s(chance: random.Random, outage_s: float, interval_s: float) -> float:
    at_s, failures = chance.uniform(0, interval_s), 0
    while at_s < outage_s:
        failures += 1
        at_s += delay_s(failures, chance.random())
    return at_s


def test_a_fleet_that_is_started_at_once_reports_spread_over_the_interval() -> None:
    """Second by second; 1,000 hosts in 10 s are 100 in each, give or take what chance does."""
    at_s = 1_795_348_800.0
    seconds = Counter(int(at_s - ahead_s(f"lb{number}", 10.0, at_s)) for number in range(1_000))

    assert len(seconds) == 10
    assert max(seconds.values()) < 150


@given(st.floats(0.05, 86_400), st.floats(0, 2e9), st.floats(0, 1e5))
def test_a_host_keeps_its_phase_whenever_it_is_started(interval_s: float, began_s: float, later_s: float) -> None:
    one, other = (at_s - ahead_s("lb1", interval_s, at_s) for at_s in (began_s, began_s + later_s))
    spread_s = min(interval_s, SPREAD_S)

    assert 0 <= ahead_s("lb1", interval_s, began_s) <= spread_s
    turns = (other - one) / spread_s
    assert abs(turns - round(turns)) < 1e-3
