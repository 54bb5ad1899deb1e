import pytest

from agent.drill.timeline import Delivery, Mark, Timeline
from agent.drill.words import document, missing, table

FIRING = Delivery("page", "hook", "firing", "delivered", 13_500, "")
OVER = Delivery("page", "hook", "resolved", "delivered", 60_000, "")
STUCK = Delivery("page", "hook", "firing", "owed", None, "503 Service Unavailable")


def a_timeline(*deliveries: Delivery, had_ms: int | None = 13_000, fired_ms: int | None = 13_100) -> Timeline:
    mark = Mark(rule="hot", severity="page", level=0.85, hold_s=0.0, needed=255)
    mark.crossed_ms, mark.had_ms, mark.fired_ms = 12_000, had_ms, fired_ms
    timeline = Timeline(host="lb1", peer="127.9.8.7:9001", marks=[mark], within_s=3.0, has_reading=had_ms is not None)
    timeline.deliveries = list(deliveries)
    return timeline


def test_a_line_a_rule_in_seconds_after_the_crossing() -> None:
    assert table(a_timeline(FIRING, OVER)).splitlines() == [
        "RULE  SEVERITY  LEVEL  PORTS  COLLECTOR HAD IT  FIRED    TOLD",
        "hot   page      85%    255    +1.00 s           +1.10 s  +1.50 s",
        "page firing → hook: delivered, 1.50 s after the first crossing",
        "page resolved → hook: delivered, 48.00 s after the first crossing",
        "Told within 3 s and resolved: 127.9.8.7:9001 on lb1.",
    ]


@pytest.mark.parametrize(
    ("timeline", "why"),
    [
        (a_timeline(had_ms=None, fired_ms=None), "never had a reading of the pool. No agent runs as 'lb1'"),
        (a_timeline(fired_ms=None), "rule 'hot' did not fire"),
        (a_timeline(), "the page made no notice"),
        (a_timeline(STUCK), "channel 'hook' did not take the page: 503 Service Unavailable"),
        (a_timeline(FIRING), "not every channel was told that it is over"),
    ],
)
def test_the_first_step_that_did_not_come_is_named(timeline: Timeline, why: str) -> None:
    assert why in missing(timeline)
    assert "NOT TOLD IN TIME" in table(timeline)
    assert not timeline.is_in_time


def test_a_program_reads_the_same() -> None:
    told = document(a_timeline(FIRING, OVER))

    assert (told["in_time"], told["missing"]) == (True, None)
    assert told["rules"][0]["told_ms"] == 13_500
