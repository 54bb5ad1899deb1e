"""What was seen, in words."""

from dataclasses import replace
from typing import Any

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from collector.alerts.subject import Subject, of_peer, of_pool
from collector.alerts.words import describe, duration, quoted, sums
from shared.model import Evidence, Reading
from shared.tcp import State
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading


def told(reading: Reading, *, is_bound: bool = False) -> str:
    seen, subject = Observation(reading, is_bound), of_pool("lb1", reading.pool)
    return describe(Case(rule="hot", severity="page", subject=subject, seen=seen, seen_ms=NOON_MS))


def test_the_sentence_names_the_pool_and_its_sums() -> None:
    assert told(a_reading(255)) == "lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left"


@pytest.mark.parametrize(
    ("held", "capacity", "share"),
    [
        (24_512, 28_200, "86.9 %"),
        (299, 300, "99.6 %"),
        (28_199, 28_200, "99.9 %"),
        (300, 300, "100 %"),
        (0, 0, "100 %"),
    ],
)
def test_a_hundred_percent_means_that_nothing_is_left(held: int, capacity: int, share: str) -> None:
    assert f"({share})" in told(a_reading(held, capacity))


def test_what_is_not_known_exactly_is_told_as_a_span() -> None:
    assert told(Reading(a_pool(), 255, 300, 40, 45)).endswith("40–45 left")


def test_whoever_holds_the_pool_and_what_failed_is_named() -> None:
    said = told(replace(a_reading(255), owner="haproxy.service, pid 1312", failures=7))
    assert said.endswith("45 left, 7 connect() failed, held by haproxy.service, pid 1312")


def test_a_bound_says_so() -> None:
    assert "holds at most 12 of 300" in told(a_reading(12), is_bound=True)


def test_another_namespace_than_the_host_s_own_is_named() -> None:
    assert told(a_reading(255, pool=a_pool(netns="edge"))).endswith("(netns edge)")


@pytest.mark.parametrize(
    ("ms", "text"),
    [(-1, "0 s"), (1_000, "1 s"), (119_000, "119 s"), (125_000, "2 min"), (10**7, "2 h"), (10**9, "11 d")],
)
def test_durations_have_two_digits_at_least(ms: int, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("subject", "facts", "sentence"),
    [
        (Subject(Scope.HOST, "lb1"), {"silent_for_s": 61}, "lb1 was last heard of 61 s ago"),
        (Subject(Scope.HOST, "lb1"), {"failure": "no netlink"}, "lb1 cannot sample: no netlink"),
        (Subject(Scope.HOST, "lb1"), {"failure": None}, "lb1 samples"),
        (
            Subject(Scope.HOST, "lb1"),
            {"settings": {"tcp_tw_reuse": {"here": 0, "role": 1}}},
            "lb1 differs from its role: tcp_tw_reuse is 0, not 1",
        ),
        (of_peer(b"\n\0\t\x15", 8080), {"hosts": 212}, "peer 10.0.9.21:8080 is pressed by 212 hosts"),
        (
            Subject(Scope.FLEET),
            {"pools_above": 60, "pools": 500},
            "the fleet has 60 of 500 pools above the level",
        ),
        (Subject(Scope.CHANNEL, "ops"), {"failing_for_s": 75}, "channel ops has not taken a notice for 75 s"),
        (Subject(Scope.ROLLOUT, "3"), {"why": "lb1 was restarted"}, "rollout 3 has halted: lb1 was restarted"),
        (Subject(Scope.ROLLOUT, "3"), {}, "rollout 3 is not halted any more"),
    ],
)
def test_what_is_no_pool_is_told_in_a_sentence_too(subject: Subject, facts: dict[str, Any], sentence: str) -> None:
    case = Case(rule="r", severity="page", subject=subject, seen=Observation(facts=facts), seen_ms=NOON_MS)
    assert describe(case) == sentence


def test_what_was_logged_is_quoted_with_the_time_of_the_last() -> None:
    said = Evidence(a_pool(), "haproxy", "no free ports", 1_200, NOON_MS + 9_000)

    assert quoted(said) == "haproxy logged “no free ports” 1,200 times, last 12:00:09 UTC"
    assert quoted(replace(said, count=1)) == "haproxy logged “no free ports” once, 12:00:09 UTC"


def test_a_capacity_and_what_is_held_are_told_as_sums() -> None:
    states = {State.TIME_WAIT: 40, State.ESTABLISHED: 200}
    reading = a_reading(255, 270, states=states)
    space = replace(a_namespace(), reserved=16, blocked=14)
    assert sums(reading, space) == (
        "40000–40299: 300 − 16 reserved − 14 blocked = 270; "
        "held 255 = ESTABLISHED 200 + TIME_WAIT 40 + bound without a connection 15"
    )


def test_sums_that_would_not_add_up_are_left_out() -> None:
    """Of a bind pool more is blocked than its namespace tells, and of a pool that nobody uses there are no states."""
    assert sums(replace(a_reading(0, 200), states={}), a_namespace()) == ""
    assert sums(a_reading(5, 200), None) == "held 5 = ESTABLISHED 5"
