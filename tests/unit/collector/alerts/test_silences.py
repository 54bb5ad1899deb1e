"""Silences and maintenance windows."""

from typing import Any

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.observe import Observation
from collector.alerts.silences import DAY_MS, InvalidSilence, Silence, from_matchers, is_silenced
from collector.alerts.subject import Subject, of_peer, of_pool
from collector.alerts.where import Place, Where
from tests.builders import NOON_MS, a_pool

LB1 = Place(host="lb1", role="edge", labels={"site": "eu"})
POOL = of_pool("lb1", a_pool(8080, peer="10.0.9.21"))


def a_silence(where: Where | None = None, **changes: Any) -> Silence:
    values: dict[str, Any] = {"author": "ops", "reason": "upgrade", "starts_ms": NOON_MS, "ends_ms": NOON_MS + 1_000}
    return Silence(**(values | {"where": where or Where(host=("lb1",))} | changes))


def a_case(subject: Subject = POOL, rule: str = "hot", severity: str = "page") -> Case:
    return Case(rule=rule, severity=severity, subject=subject, seen=Observation(), seen_ms=NOON_MS)


@pytest.mark.parametrize(
    ("silence", "is_meant"),
    [
        (a_silence(), True),
        (a_silence(Where(host=("lb2",))), False),
        (a_silence(Where(role=("edge",), labels={"site": "eu"})), True),
        (a_silence(Where(labels={"site": "us"})), False),
        (a_silence(Where(peer=("10.0.9.0/24",))), True),
        (a_silence(Where(peer=(":80",))), False),
        (a_silence(rule=("hot",)), True),
        (a_silence(rule=("cold",)), False),
        (a_silence(severity=("plan",)), False),
        (a_silence(Where(), rule=("hot",)), True),
    ],
)
def test_a_silence_means_what_all_its_matchers_mean(silence: Silence, *, is_meant: bool) -> None:
    assert silence.covers(a_case(), LB1) is is_meant


def test_it_lasts_from_its_start_until_before_its_end() -> None:
    told = [is_silenced([a_silence()], a_case(), LB1, NOON_MS + ms) for ms in (-1, 0, 999, 1_000)]
    assert told == [False, True, True, False]


def test_a_silent_backend_silences_what_presses_on_it_and_a_silent_host_does_not() -> None:
    pressed = a_case(of_peer(b"\x0a\0\x09\x15", 8080))
    assert a_silence(Where(peer=("10.0.9.21:8080",))).covers(pressed, Place())
    assert not a_silence(Where(peer=("10.0.9.22",))).covers(pressed, Place())
    assert not a_silence(Where(host=("*",))).covers(pressed, Place())


def test_a_silent_role_silences_what_is_said_of_the_role() -> None:
    of_role = a_case(Subject(Scope.ROLE, "edge"))
    assert a_silence(Where(role=("edge",))).covers(of_role, Place())
    assert not a_silence(Where(role=("db",))).covers(of_role, Place())
    assert not a_silence(Where(kind=("bind",))).covers(a_case(Subject(Scope.HOST, "lb1")), LB1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"author": " "}, "author"),
        ({"reason": ""}, "reason"),
        ({"ends_ms": NOON_MS}, "end after it starts"),
        ({"ends_ms": NOON_MS + 400 * DAY_MS}, "within 366 days"),
        ({"severity": ("pgae",)}, "did you mean 'page'"),
        ({"where": Where()}, "say what is to be silent"),
    ],
)
def test_a_silence_nobody_could_mean_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSilence, match=why):
        a_silence(**changes)


def test_matchers_come_back_as_they_were_kept() -> None:
    made = a_silence(Where(host=("lb*",), labels={"site": "eu"}, peer=(":80",)), rule=("hot",), severity=("plan",))
    kept = from_matchers(made.matchers())
    assert kept == {"where": made.where, "rule": made.rule, "severity": made.severity}
