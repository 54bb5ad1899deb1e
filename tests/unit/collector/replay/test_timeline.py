"""What a replay tells."""

from collector.alerts.evaluate import Verdict
from collector.alerts.playing import Report, play
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.watch import Watch
from collector.alerts.where import Place, Where
from collector.replay.timeline import MomentShape, Timeline
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot

WARM = Rule(name="warm", severity="plan", raise_at=0.5, hold_s=20)
HOT = Rule(name="hot", severity="page", raise_at=0.85)


def verdicts(*held: int) -> tuple[Watch, list[tuple[int, Verdict]]]:
    """Of pools 9001, 9002, …, ten seconds apart the same."""
    watch, place = Watch([WARM, HOT], ()), Place(host="lb1", role="edge")
    readings = [a_reading(ports, pool=a_pool(9001 + number)) for number, ports in enumerate(held)]
    reports = [
        Report(at_ms=at_ms, place=place, host_id=1, interval_ms=10_000, read=lambda _is_whole: a_snapshot(*readings))
        for at_ms in range(NOON_MS, NOON_MS + 40_000, 10_000)
    ]
    return watch, list(play(watch, reports, range(NOON_MS, NOON_MS + 40_000, 1_000)))


def told(timeline: Timeline, found: list[tuple[int, Verdict]]) -> list[MomentShape]:
    return [moment for at_ms, verdict in found if (moment := timeline.moment(at_ms, verdict))]


def test_each_change_comes_with_what_was_read_then() -> None:
    timeline = Timeline(NOON_MS, Where())
    moments = told(timeline, verdicts(200)[1])
    assert [(one["at_ms"] - NOON_MS, one["rule"], one["before"], one["after"], one["told"]) for one in moments] == [
        (0, "warm", "ok", "pending", None),
        (20_000, "warm", "pending", "firing", "firing"),
    ]
    assert (moments[0]["held"], moments[0]["capacity"], moments[0]["headroom_min"]) == (200, 300, 100)
    assert "holds 200 of 300 ports" in moments[0]["summary"]
    assert timeline.first == moments[0]


def test_what_came_before_the_window_stands_when_it_begins() -> None:
    watch, found = verdicts(200)
    timeline = Timeline(NOON_MS + 30_000, Where())
    assert told(timeline, found) == []
    [standing] = [one for case in watch.cases if (one := timeline.standing(case))]
    assert (standing["rule"], standing["state"], standing["since_ms"]) == ("warm", "firing", NOON_MS + 20_000)


def test_a_pool_that_fires_after_its_hold_did_not_leave_its_band_then() -> None:
    timeline = Timeline(NOON_MS + 5_000, Where())
    [firing] = told(timeline, verdicts(200)[1])
    assert (firing["after"], timeline.first) == ("firing", None)


def test_what_a_silence_of_the_time_would_have_held_back_is_told_with_whose_it_was() -> None:
    quiet = Silence(
        id=7,
        author="ops",
        reason="upgrade",
        starts_ms=NOON_MS,
        ends_ms=NOON_MS + 60_000,
        where=Where(role=("edge",)),
        created_ms=NOON_MS,
    )
    moments = told(Timeline(NOON_MS, Where(), [quiet]), verdicts(200)[1])
    held = {"id": 7, "author": "ops", "reason": "upgrade", "ends_ms": NOON_MS + 60_000}
    assert [(one["told"], one["held_back"]) for one in moments] == [(None, None), ("firing", held)]
    assert [one["held_back"] for one in told(Timeline(NOON_MS, Where()), verdicts(200)[1])] == [None, None]


def test_only_pools_that_are_meant_are_told_of() -> None:
    timeline = Timeline(NOON_MS, Where(peer=(":9002",)))
    assert {one["peer_port"] for one in told(timeline, verdicts(200, 290)[1])} == {9002}
    assert {one["rule"] for one in told(Timeline(NOON_MS, Where(peer=(":9002",))), verdicts(200, 290)[1])} == {
        "warm",
        "hot",
    }
