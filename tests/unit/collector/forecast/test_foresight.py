"""Many pools at once: each has its own past, and memory has an end."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.observe import Filling
from collector.forecast import early, foresight
from collector.forecast.foresight import Foresight
from tests.builders import NOON_MS, a_reading


def burst(foresight: Foresight, host: str, *held: int) -> list[float | None]:
    """What is foretold at each of these readings, a second apart, where history holds nothing; 300 ports."""
    told = []
    for second, ports in enumerate(held):
        told.append(foresight(host, a_reading(ports), NOON_MS + 1_000 * second))
        for key in foresight.wanted(9):
            foresight.learn(key, ())
    return [one.seconds if one else None for one in told]


def tide(foresight: Foresight) -> float | None:
    """What is foretold at the end of five minutes from 170 to 263 ports, read each 5 s."""
    told = None
    for step in range(60):
        told = foresight("lb1", a_reading(170 + step * 95 // 60), NOON_MS + 5_000 * step)
    return told.seconds if told else None


YESTERDAY = [(NOON_MS / 1000 - 20 * 3_600 + 60 * minute, 250) for minute in range(30)]
KEY = ("lb1", a_reading(0).pool)
KEY_READING = ("lb1", a_reading(170), NOON_MS - 5_000)


def test_what_came_before_half_full_counts_once_it_is() -> None:
    assert burst(Foresight(), "lb1", 80, 110, 140, 170, 200, 230)[-1] == pytest.approx(70 / 30)


def noted(foresight: Foresight, host: str, held: int, second: int) -> None:
    """A report of a calm host with one pool of 300 ports."""
    filling = Filling((KEY[1],), held.to_bytes(2, "little"), (300).to_bytes(2, "little"))
    foresight.note(host, filling, NOON_MS + 1_000 * second)


def test_what_was_only_noted_counts_as_what_was_asked_about() -> None:
    reported = Foresight()
    for second, held in enumerate((80, 110, 140)):
        noted(reported, "lb1", held, second)
    assert reported.wanted(9) == []
    told = [reported("lb1", a_reading(held), NOON_MS + 1_000 * second) for second, held in ((3, 170), (4, 200))]
    assert told == [None, None]
    reported.learn(reported.wanted(9)[0], ())
    noted(reported, "lb1", 140, 5)
    last = reported("lb1", a_reading(250), NOON_MS + 6_000)
    asked = Foresight()
    burst(asked, "lb1", 80, 110, 140, 170, 200, 140)
    assert last == asked("lb1", a_reading(250), NOON_MS + 6_000)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40))
def test_reports_of_calm_hosts_make_the_past_that_single_readings_make(held: list[int]) -> None:
    """The way it is remembered is another; what is foretold is the same, reading by reading."""
    reported, asked = Foresight(), Foresight()
    for second, ports in enumerate(held):
        at_ms, is_calm = NOON_MS + 5_000 * second, ports < 150
        if is_calm:
            noted(reported, "lb1", ports, 5 * second)
        if not is_calm or ports >= 75:
            found = asked("lb1", a_reading(ports), at_ms)
            assert is_calm or reported("lb1", a_reading(ports), at_ms) == found
        for one in (reported, asked):
            for key in one.wanted(9):
                one.learn(key, ())


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
    monkeypatch.setattr(early, "MOST_POOLS", 1)
    small = Foresight()
    burst(small, "lb1", 20, 80, 140)
    burst(small, "lb2", 20, 80, 140)

    told = []
    for host in ("lb2", "lb1"):
        small(host, a_reading(200), NOON_MS + 3_000)
        small.learn((host, KEY[1]), ())
        told.append(small(host, a_reading(260), NOON_MS + 4_000))

    assert [one is not None for one in told] == [True, False]


def test_until_history_was_read_nothing_is_foretold() -> None:
    foresight = Foresight()

    assert (tide(foresight), foresight.wanted(9)) == (None, [KEY])


def test_a_tide_that_history_knows_is_left_in_peace_and_one_it_does_not_know_is_told() -> None:
    known, unknown = Foresight(), Foresight()
    for one, minutes in ((known, YESTERDAY), (unknown, [])):
        one(*KEY_READING)
        one.learn(KEY, minutes)

    assert tide(known) is None
    assert tide(unknown) == pytest.approx(117, rel=0.2)


def test_a_minute_that_reaches_into_what_was_seen_here_is_not_taken_for_its_past() -> None:
    foresight = Foresight()
    burst(foresight, "lb1", 80, 110)
    for second, held in enumerate((140, 170, 200, 230), start=2):
        foresight("lb1", a_reading(held), NOON_MS + 1_000 * second)
    foresight.learn(KEY, [(NOON_MS / 1000 - 120, 20), (NOON_MS / 1000, 230)])

    told = foresight("lb1", a_reading(260), NOON_MS + 6_000)

    assert told
    assert told.seconds == pytest.approx(40 / 30)


def test_a_pool_that_waits_for_its_memory_is_spent_all_the_same_when_it_is() -> None:
    told = Foresight()("lb1", a_reading(300), NOON_MS)

    assert told
    assert told.seconds == 0.0


def test_who_cannot_be_read_lets_the_others_go_first() -> None:
    foresight = Foresight()
    for host in ("lb1", "lb2", "lb3"):
        foresight(host, a_reading(200), NOON_MS)
    foresight.defer(KEY)
    foresight.defer(("lb9", KEY[1]))

    assert [host for host, _ in foresight.wanted(2)] == ["lb2", "lb3"]


def test_pools_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "MOST_POOLS", 1)
    small = Foresight()
    for host in ("lb1", "lb2"):
        small(host, a_reading(200), NOON_MS)

    assert [host for host, _ in small.wanted(9)] == ["lb2"]
