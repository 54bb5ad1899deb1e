"""The past told to rules again."""

from collections.abc import Sequence

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.alerts.playing import Report, play, rounds
from collector.alerts.rules import Rule
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from shared.model import Reading, Snapshot
from tests.builders import a_reading, a_snapshot

HOLDING = Rule(name="hot", severity="page", raise_at=0.5, hold_s=10)


def a_report(at_s: int, *readings: Reading, pools: int | None = None, asked: list[bool] | None = None) -> Report:
    def read(is_whole: bool) -> Snapshot:
        if asked is not None:
            asked.append(is_whole)
        return a_snapshot(*readings, taken_at_ms=at_s * 1000)

    place = Place(host="lb1", role="edge")
    return Report(at_ms=at_s * 1000, place=place, host_id=1, interval_ms=10_000, read=read, pools=pools)


def told(rules: Sequence[Rule], reports: Sequence[Report], moments: Sequence[int]) -> list[tuple[int, str, str]]:
    played = play(Watch(rules, ()), reports, [at_s * 1000 for at_s in moments])
    return [(at_ms // 1000, one.case.rule, one.transition.after.value) for at_ms, one in played if one.transition]


def test_a_report_is_judged_as_of_when_it_came_whenever_time_is_looked_at() -> None:
    reports = [a_report(at_s, a_reading(200)) for at_s in (3, 8, 13)]
    assert told([HOLDING], reports, [20]) == [(3, "hot", "pending"), (13, "hot", "firing")]


def test_what_comes_after_the_last_moment_is_not_judged() -> None:
    assert told([HOLDING], [a_report(21, a_reading(200))], [20]) == []


def test_silence_is_noticed_in_the_second_in_which_patience_ends() -> None:
    assert told(BUILT_IN, [a_report(0)], range(100)) == [(31, "host-silent", "pending"), (61, "host-silent", "firing")]


def test_time_that_can_change_nothing_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of a calm host is not 86,400 looks at it."""
    looks = []
    tick = Watch.tick

    def counted(watch: Watch, now_ms: int, *rest: object) -> object:
        looks.append(now_ms)
        return tick(watch, now_ms, *rest)  # type: ignore[arg-type] # handed on as it came

    monkeypatch.setattr(Watch, "tick", counted)
    assert told([HOLDING], [a_report(0), a_report(10)], range(1000)) == []
    assert len(looks) < 10


def test_a_host_is_read_in_part_while_nothing_about_it_is_open() -> None:
    asked: list[bool] = []
    reports = [
        a_report(at_s, a_reading(held), pools=9, asked=asked) for at_s, held in ((0, 10), (1, 200), (2, 200), (3, 10))
    ]
    told([HOLDING], reports, range(5))
    assert asked == [False, False, True, True]


def test_what_came_at_one_instant_is_one_round_and_time_is_another() -> None:
    reports = [a_report(1, a_reading(200)), a_report(1, a_reading(290)), a_report(2, a_reading(10))]
    played = rounds(Watch([HOLDING], ()), reports, [at_s * 1000 for at_s in range(4)])
    assert [(one.at_ms // 1000, one.has_ticked) for one in played] == [
        (0, True),
        (1, False),
        (1, True),
        (2, False),
    ]
