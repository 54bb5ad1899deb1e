from typing import Any

from agent.drill.timeline import Timeline, marks_of

PEER = "127.9.8.7:9001"
RULES: list[dict[str, Any]] = [
    {"name": "hot", "severity": "page", "raise_at": 0.85},
    {"name": "warm", "severity": "plan", "raise_at": 0.5, "hold_s": 30.0},
    {"name": "bind", "severity": "page", "raise_at": 0.7, "where": {"kind": ["bind"]}},
    {"name": "edge-only", "severity": "page", "raise_at": 0.7, "where": {"role": ["edge"]}},
    {"name": "spent", "severity": "page", "raise_at": 900.0, "condition": "spent_soon"},
    {"name": "brim", "severity": "page", "raise_at": 1.0},
]
EMPTY = {"subject": "pool", "condition": "occupancy", "hold_s": 0.0, "where": {"kind": [], "role": []}}


def a_timeline(within_s: float = 3.0) -> Timeline:
    marks = marks_of([EMPTY | rule for rule in RULES], 300, 285)
    return Timeline(host="lb1", peer=PEER, marks=marks, within_s=within_s)


def ours(**more: Any) -> dict[str, Any]:
    return {"host": "lb1", "peer_ip": "127.9.8.7", "peer_port": 9001, **more}


def a_notice(state: str, at_ms: int | None, severity: str = "page", channel: str = "hook") -> dict[str, Any]:
    tries = [{"at_ms": at_ms or 1, "succeeded": at_ms is not None, "detail": "503"}]
    return {
        "severity": severity,
        "channel": channel,
        "state": state,
        "outcome": "delivered" if at_ms else "owed",
        "summary": f"PAGE lb1: 127.0.0.1 -> {PEER} holds 255 of 300 ports",
        "attempts": tries,
    }


def full(timeline: Timeline) -> Timeline:
    """Half full at 10 s, 85 % at 12 s, read at 13 s, both rules fire."""
    timeline.crossed(150, 10_000)
    timeline.crossed(255, 12_000)
    alerts = [ours(rule="hot", firing_since_ms=13_100), ours(rule="warm", firing_since_ms=43_000)]
    timeline.look([ours(held=260)], alerts, [], 13_000)
    return timeline


def test_only_rules_that_this_pool_must_cross_are_followed_lowest_first() -> None:
    assert [(mark.rule, mark.needed) for mark in a_timeline().marks] == [("warm", 150), ("hot", 255)]


def test_each_step_is_taken_down_once() -> None:
    timeline = full(a_timeline())
    timeline.crossed(300, 99_000)
    timeline.look([ours(held=290)], [ours(rule="hot", firing_since_ms=99_000)], [], 99_000)

    assert [(one.crossed_ms, one.had_ms, one.fired_ms) for one in timeline.marks] == [
        (10_000, 13_000, 43_000),
        (12_000, 13_000, 13_100),
    ]


def test_other_pools_and_other_hosts_are_none_of_ours() -> None:
    timeline = a_timeline()
    other = {"host": "lb2", "peer_ip": "127.9.8.7", "peer_port": 9001, "held": 300}
    timeline.look([other], [], [a_notice("firing", 1) | {"summary": f"PAGE lb1: -> {PEER}0 holds"}], 1)

    assert (timeline.has_reading, timeline.deliveries) == (False, [])


def test_the_page_is_told_when_its_last_channel_has_it() -> None:
    timeline = full(a_timeline())
    timeline.look([], [], [a_notice("firing", None, channel="mail"), a_notice("firing", 13_500)], 14_000)
    assert not timeline.is_told

    timeline.look([], [], [a_notice("firing", 14_500, channel="mail"), a_notice("firing", 13_500)], 15_000)
    assert timeline.told_ms("page") == 14_500
    assert timeline.is_told, "a plan that its page hides needs no notice of its own"


def test_a_line_in_the_collectors_log_tells_nobody() -> None:
    timeline = full(a_timeline())
    timeline.look([], [], [a_notice("firing", 13_500, channel="log")], 14_000)

    assert not timeline.is_told


def test_in_time_means_told_within_the_bound_and_resolved() -> None:
    timeline = full(a_timeline())
    fired, over = a_notice("firing", 14_500), a_notice("resolved", 60_000)
    timeline.look([], [], [fired], 15_000)
    assert not timeline.is_in_time, "nobody knows yet that it is over"

    timeline.look([], [], [over, fired], 61_000)
    assert timeline.is_in_time
    late = full(a_timeline(within_s=2.0))
    late.look([], [], [over, fired], 61_000)
    assert not late.is_in_time


def test_what_a_rule_holds_back_is_not_late() -> None:
    timeline = full(a_timeline())
    timeline.look([], [], [a_notice("firing", 41_000, severity="plan")], 42_000)

    assert timeline.late_s(timeline.marks[0]) == 1.0
