"""Many pools at once: each has its own past, and memory has an end."""

import math

import pytest

from collector.forecast import foresight
from collector.forecast.foresight import Foresight
from tests.builders import NOON_MS, a_reading


def burst(foresight: Foresight, host: str, *held: int) -> list[float | None]:
    """What is foretold at each of these readings, a second apart; a_reading's pool has 300 ports."""
    told = [foresight(host, a_reading(ports), NOON_MS + 1_000 * second) for second, ports in enumerate(held)]
    return [one.seconds if one else None for one in told]


def test_what_came_before_half_full_counts_once_it_is() -> None:
    assert burst(Foresight(), "lb1", 80, 110, 140, 170, 200, 230)[-1] == pytest.approx(70 / 30)


def test_half_full_without_a_past_is_unknown() -> None:
    assert burst(Foresight(), "lb1", 170, 200) == [None, None]


def test_each_host_has_its_own_past() -> None:
    both = Foresight()
    burst(both, "lb1", 80, 110, 140, 170, 200, 230)

    assert burst(both, "lb2", 230) == [None]


def test_a_pool_that_rises_no_more_is_never_spent() -> None:
    assert burst(Foresight(), "lb1", *range(80, 260, 30), *[250] * 200)[-1] == math.inf


def test_below_half_nothing_is_foretold_and_nothing_is_due() -> None:
    assert burst(Foresight(), "lb1", 80, 110) == [math.inf, math.inf]


def test_a_spent_pool_is_spent_at_its_first_reading() -> None:
    assert burst(Foresight(), "lb1", 300) == [0.0]


def test_past_its_bounds_the_pools_unseen_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOST_POOLS", 2)
    small = Foresight()
    for host in ("lb1", "lb2", "lb3"):
        burst(small, host, 80, 110, 140, 170, 200)

    told = [small(host, a_reading(230), NOON_MS + 5_000) for host in ("lb3", "lb2", "lb1")]

    assert [one is not None and one.seconds < math.inf for one in told] == [True, True, False]


def test_pools_on_their_way_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOST_EARLY", 1)
    small = Foresight()
    burst(small, "lb1", 20, 80, 140)
    burst(small, "lb2", 20, 80, 140)

    told = [small(host, a_reading(200), NOON_MS + 3_000) for host in ("lb1", "lb2")]

    assert [one is not None for one in told] == [False, True]
