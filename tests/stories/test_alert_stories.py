"""What people hear, told as data: occupancy over time on one side, notices on the other.

Each story is one pool of 100 ports under one rule that raises at 85, clears below 75 and holds for 30 s. A beat is
(second, what the snapshot says): ports held, `~N` for "not listed, at most N", or a word for why nothing is known.
"""

from dataclasses import dataclass

import pytest

from collector.alerts.evaluate import Case, Key, Sight, judge
from collector.alerts.rules import Rule
from collector.alerts.where import Place
from shared.model import Remainder, Snapshot
from shared.ports import PortRange
from tests.builders import NOON_MS, a_failure, a_namespace, a_reading, a_snapshot

RULE = Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75, hold_s=30)
RANGE = PortRange(40_000, 40_099)


@dataclass(frozen=True)
class Story:
    """What happened, what was heard and when, and where it stood at the end."""

    name: str
    beats: dict[int, int | str]
    heard: dict[int, str]
    end: str


STORIES = [
    Story("heat that stays is told once", {0: 90, 10: 91, 20: 92, 30: 93, 40: 99, 50: 100}, {30: "firing"}, "firing"),
    Story("a spike is not told", {0: 90, 10: 90, 20: 50, 30: 90, 40: 90}, {}, "pending"),
    Story("a dip below the level restarts the hold", {0: 90, 25: 84, 26: 90, 31: 90, 56: 90}, {56: "firing"}, "firing"),
    Story("hovering between levels is told once", {0: 90, 30: 90, 40: 80, 50: 86, 60: 76}, {30: "firing"}, "firing"),
    Story("calm is told", {0: 90, 30: 90, 40: 74}, {30: "firing", 40: "resolved"}, "ok"),
    Story(
        "it may happen again",
        {0: 90, 30: 90, 40: 10, 50: 95, 80: 95},
        {30: "firing", 40: "resolved", 80: "firing"},
        "firing",
    ),
    Story("silence does not resolve", {0: 90, 30: 90, 60: "silent"}, {30: "firing"}, "unknown"),
    Story("silence does not fire", {0: 90, 30: "silent", 60: "silent"}, {}, "unknown"),
    Story(
        "what went on during a silence is not told again",
        {0: 90, 30: 90, 60: "silent", 90: 95},
        {30: "firing"},
        "firing",
    ),
    Story(
        "what ended during a silence is told when it is known",
        {0: 90, 30: 90, 60: "silent", 90: 5},
        {30: "firing", 90: "resolved"},
        "ok",
    ),
    Story("heat nobody saw does not count towards the hold", {0: 90, 20: "failed", 40: 90, 50: 90}, {}, "pending"),
    Story("a failed sample does not resolve", {0: 90, 30: 90, 40: "failed"}, {30: "firing"}, "unknown"),
    Story("a lost namespace does not resolve", {0: 90, 30: 90, 40: "no namespace"}, {30: "firing"}, "unknown"),
    Story(
        "a pool that vanished from a full listing is calm",
        {0: 90, 30: 90, 40: "~0"},
        {30: "firing", 40: "resolved"},
        "ok",
    ),
    Story(
        "a pool that can hold little is calm",
        {0: 90, 30: 90, 40: "~60"},
        {30: "firing", 40: "resolved"},
        "ok",
    ),
    Story("a pool that may hold much is unknown", {0: 90, 30: 90, 40: "~80"}, {30: "firing"}, "unknown"),
    Story("a full pool fires like any other", {0: 100, 30: 100}, {30: "firing"}, "firing"),
]


def snapshot_of(beat: int | str) -> Snapshot | None:
    if isinstance(beat, int):
        return a_snapshot(a_reading(beat, 100), namespaces=[a_namespace(ports=RANGE)])
    if beat.startswith("~"):
        most = int(beat[1:])
        rest = Remainder(pools=1, held=most, max_held=most) if most else Remainder()
        return a_snapshot(namespaces=[a_namespace(ports=RANGE, remainder=rest)])
    return {"silent": None, "failed": a_failure(), "no namespace": a_snapshot(namespaces=[])}[beat]


def sight_of(beat: int | str, now_ms: int) -> Sight:
    return Sight(place=Place(host="lb1"), snapshot=snapshot_of(beat), now_ms=now_ms)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story(story: Story) -> None:
    cases: dict[Key, Case] = {}
    heard: dict[int, str] = {}
    for second, beat in story.beats.items():
        for verdict in judge([RULE], cases, sight_of(beat, NOON_MS + second * 1000)):
            cases[verdict.case.key] = verdict.case
            if verdict.transition and verdict.transition.told:
                heard[second] = verdict.transition.told.value
    assert heard == story.heard
    assert [case.alert.state.value for case in cases.values()] == [story.end]
