"""What a person is told."""

from dataclasses import replace
from typing import Any

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.notice import compose, describe, summarise
from collector.alerts.observe import Observation
from collector.alerts.step import AlertState, Told, Transition
from collector.alerts.subject import Subject, of_peer, of_pool
from shared.model import Reading
from tests.builders import NOON_MS, a_pool, a_reading


def a_case(reading: Reading, *, host: str = "lb1", is_bound: bool = False) -> Case:
    seen = Observation(reading, is_bound)
    subject = of_pool(host, reading.pool)
    return Case(rule="hot", severity="page", subject=subject, seen=seen, seen_ms=NOON_MS, role="edge")


def fired(at_ms: int = NOON_MS) -> Transition:
    return Transition(AlertState.OK, AlertState.FIRING, at_ms, Told.FIRING, at_ms)


def test_the_sentence_names_the_pool_and_its_sums() -> None:
    told = summarise(a_case(a_reading(255)), Told.FIRING)
    assert told == "PAGE lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left"


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
    assert f"({share})" in summarise(a_case(a_reading(held, capacity)), Told.FIRING)


def test_what_is_not_known_exactly_is_told_as_a_span() -> None:
    reading = Reading(a_pool(), 255, 300, 40, 45)
    assert summarise(a_case(reading), Told.FIRING).endswith("40–45 left")


def test_whoever_holds_the_pool_is_named() -> None:
    notice = compose(a_case(replace(a_reading(255), owner="haproxy.service, pid 1312")), fired())

    assert notice
    assert notice.document["owner"] == "haproxy.service, pid 1312"
    assert notice.document["summary"].endswith("45 left, held by haproxy.service, pid 1312")


def test_a_resolution_by_bound_says_so() -> None:
    told = summarise(a_case(a_reading(12), is_bound=True), Told.RESOLVED)
    assert told.startswith("RESOLVED lb1: 127.0.0.1 -> 127.0.0.1:9001 holds at most 12 of 300")


def test_another_namespace_than_the_host_s_own_is_named() -> None:
    reading = a_reading(255, pool=a_pool(netns="edge"))
    assert summarise(a_case(reading), Told.FIRING).endswith("(netns edge)")


def test_the_key_names_this_firing_and_the_alert_key_all_of_them() -> None:
    first = compose(a_case(a_reading(255)), fired())
    again = compose(a_case(a_reading(260)), fired())
    later = compose(a_case(a_reading(255)), fired(NOON_MS + 1))
    assert first
    assert again
    assert later
    assert first.key == again.key != later.key
    assert first.document["alert"] == later.document["alert"]


def test_different_hosts_never_share_a_key() -> None:
    notices = [compose(a_case(a_reading(255), host=host), fired()) for host in ("lb1", "lb2")]
    assert len({notice.key for notice in notices if notice}) == 2


def test_the_document_carries_what_a_receiver_needs_to_act() -> None:
    notice = compose(a_case(a_reading(255)), fired())
    assert notice
    wanted = {
        "key", "alert", "state", "severity", "rule", "host", "role", "netns", "kind", "local_ip", "peer_ip",
        "peer_port", "held", "capacity", "headroom_min", "headroom_max", "occupancy", "states", "owner", "failures",
        "knee", "subject", "name", "facts", "since_ms", "at_ms", "summary",
    }  # fmt: skip
    assert set(notice.document) == wanted
    assert notice.document["states"] == {"ESTABLISHED": 255}


def test_a_change_nobody_needs_to_hear_of_makes_no_notice() -> None:
    quiet = Transition(AlertState.FIRING, AlertState.UNKNOWN, NOON_MS)
    assert compose(a_case(a_reading(255)), quiet) is None


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
    ],
)
def test_what_is_no_pool_is_told_in_a_sentence_too(subject: Subject, facts: dict[str, Any], sentence: str) -> None:
    case = Case(rule="r", severity="page", subject=subject, seen=Observation(facts=facts), seen_ms=NOON_MS)
    assert describe(case) == sentence
