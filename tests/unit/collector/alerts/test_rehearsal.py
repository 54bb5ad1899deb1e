"""Stories told to rules."""

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rehearsal import Beat, Heard, Rehearsal, rehearse
from collector.alerts.rules import Rule
from shared.settings import InvalidValue

HOLDING = Rule(name="hot", severity="page", raise_at=0.5, hold_s=10)


def heard(*beats: Beat, until_s: float = 0) -> list[tuple[float, str, str]]:
    return [(one.at_s, one.state, one.rule) for one in rehearse(BUILT_IN, Rehearsal(beat=beats, until_s=until_s))]


def test_time_goes_on_between_the_beats() -> None:
    told = heard(Beat(at_s=0), until_s=70)
    assert told == [(61.0, "firing", "host-silent")]


def test_several_readings_of_one_instant_are_one_report() -> None:
    beats = [Beat(at_s=0, held=25_000, peer=f"10.0.0.{number}:80") for number in (1, 2)]
    assert heard(*beats) == [(0, "firing", "pool-nearly-full")] * 2


def test_failures_and_blindness_can_be_told() -> None:
    assert heard(Beat(at_s=0, failures=1), Beat(at_s=1, failure="no netlink"), until_s=1) == [
        (0, "firing", "connect-failed"),
    ]


def test_a_fraction_of_a_second_is_a_moment_too() -> None:
    story = Rehearsal(beat=(Beat(at_s=0.5, held=20_000), Beat(at_s=10.5, held=20_000)))
    [one] = rehearse([HOLDING], story)
    assert one == Heard(10.5, "firing", "hot", "lb1: 10.0.0.1 -> 10.0.0.2:80")


@pytest.mark.parametrize("wrong", [{"kind": "conect"}, {"held": 99_999}, {"held": -1}])
def test_a_beat_that_could_not_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Beat(at_s=0, **wrong)  # type: ignore[arg-type] # wrong on purpose
