"""Alerts with one cause are one incident."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.incidents import (
    GROWS_EVERY_MS,
    Incident,
    IncidentId,
    Scene,
    Telling,
    cause_of,
    leading,
    review,
)
from collector.alerts.observe import Observation
from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState
from collector.alerts.subject import Subject, of_peer, of_pool
from shared.model import Kind
from tests.builders import NOON_MS, a_pool, a_reading

HOT = Rule(name="hot", severity="page", raise_at=0.85)
WARM = Rule(name="warm", severity="plan", raise_at=0.5)
FAILED = Rule(name="failed", severity="page", condition="failures", raise_at=1)
SILENT = Rule(name="silent", severity="page", subject="host", condition="silent")
RULES = {rule.name: rule for rule in (HOT, WARM, FAILED, SILENT)}
BACKEND = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")


def a_case(rule: Rule = HOT, host: str = "lb1", *, subject: Subject | None = None, held: int = 290) -> Case:
    return Case(
        rule=rule.name,
        severity=rule.severity,
        subject=subject or of_pool(host, BACKEND),
        alert=Alert(AlertState.FIRING, NOON_MS, NOON_MS, NOON_MS),
        seen=Observation(a_reading(held, pool=BACKEND)),
        seen_ms=NOON_MS,
        role="edge",
    )


class Story:
    """Open incidents, and what was told of them."""

    def __init__(self) -> None:
        self.open: dict[IncidentId, Incident] = {}
        self.quiet: set[str | None] = set()

    def at(self, second: float, *fired: Case) -> list[str]:
        scene = Scene(
            rules=RULES,
            is_silenced=lambda case: case.subject.host in self.quiet,
            channels=lambda _severity, _rules: ("log",),
            now_ms=NOON_MS + round(second * 1000),
        )
        told = []
        for change in review(self.open, fired, scene):
            if change.is_over:
                del self.open[change.incident.id]
            else:
                self.open[change.incident.id] = change.incident
            if change.telling:
                told.append(f"{change.incident.severity} {change.telling} {len(change.members)}")
        return told


@pytest.mark.parametrize(
    ("case", "cause"),
    [
        (a_case(), "backend 10.0.9.21:8080"),
        (a_case(subject=of_peer(BACKEND.peer, 8080)), "backend 10.0.9.21:8080"),
        (a_case(subject=of_pool("lb1", a_pool())), "host lb1, backend 127.0.0.1:9001"),
        (a_case(subject=of_pool("lb1", a_pool(0, kind=Kind.UDP))), "udp pools, role edge"),
        (replace(a_case(subject=of_pool("lb1", a_pool(0, kind=Kind.BIND))), role=""), "bind pools, host lb1"),
        (a_case(SILENT, subject=Subject(Scope.HOST, "lb1")), "silent, role edge"),
        (a_case(subject=Subject(Scope.FLEET)), "hot, the fleet"),
    ],
)
def test_what_alerts_share_is_their_cause(case: Case, cause: str) -> None:
    assert cause_of(case) == cause


def test_two_hundred_hosts_at_once_are_told_once() -> None:
    story = Story()
    hosts = [a_case(host=f"lb{number}") for number in range(200)]
    assert story.at(0, *hosts) == ["page firing 200"]
    assert story.at(60, *hosts) == []
    assert story.at(90) == ["page resolved 0"]
    assert story.open == {}


def test_an_incident_that_doubles_is_told_again_but_not_at_every_host() -> None:
    story, hosts = Story(), [a_case(host=f"lb{number}") for number in range(200)]
    assert story.at(0, hosts[0]) == ["page firing 1"]
    assert story.at(5, *hosts[:50]) == []
    assert story.at(GROWS_EVERY_MS / 1000, *hosts) == ["page grew 200"]
    assert story.at(300, *hosts) == []


def test_twice_as_many_hosts_are_news_and_one_less_is_not() -> None:
    story, hosts = Story(), [a_case(host=f"lb{number}") for number in range(8)]
    assert story.at(0, *hosts[:4]) == ["page firing 4"]
    assert story.at(60, *hosts[:7]) == []
    assert story.at(61, *hosts) == ["page grew 8"]


def test_a_page_hides_the_plan_of_the_same_cause_until_it_is_over() -> None:
    story = Story()
    assert story.at(0, a_case(), a_case(WARM)) == ["page firing 1"]
    assert sorted(story.at(5, a_case(WARM))) == ["page resolved 0", "plan firing 1"]
    assert story.at(9) == ["plan resolved 0"]


def test_a_plan_that_was_told_is_resolved_too() -> None:
    story = Story()
    assert story.at(0, a_case(WARM)) == ["plan firing 1"]
    assert story.at(1, a_case(WARM), a_case()) == ["page firing 1"]
    assert story.at(2) == ["plan resolved 0", "page resolved 0"]


def test_a_plan_that_was_never_told_ends_without_a_word() -> None:
    story = Story()
    story.at(0, a_case(), a_case(WARM))
    assert story.at(5) == ["page resolved 0"]


def test_a_silent_host_hides_its_pools_and_is_told_itself() -> None:
    story, silence = Story(), a_case(SILENT, subject=Subject(Scope.HOST, "lb1"))
    assert story.at(0, silence, a_case()) == ["page firing 1"]
    assert [incident.cause for incident in story.open.values() if incident.told_ms] == ["silent, role edge"]
    assert sorted(story.at(5, a_case())) == ["page firing 1", "page resolved 0"]


def test_what_is_silenced_is_told_when_it_no_longer_is() -> None:
    story = Story()
    story.quiet = {"lb1"}
    assert story.at(0, a_case()) == []
    story.quiet = set()
    assert story.at(10, a_case()) == ["page firing 1"]
    story.quiet = {"lb1"}
    assert story.at(20, a_case()) == []
    assert story.at(30) == ["page resolved 0"]


def test_only_those_that_are_not_silenced_are_counted() -> None:
    story = Story()
    story.quiet = {"lb1"}
    assert story.at(0, a_case(), a_case(host="lb2")) == ["page firing 1"]


def test_what_fails_already_stands_for_all_then_what_is_fullest() -> None:
    fuller = a_case(host="lb2", held=299)
    assert leading([a_case(), fuller], RULES) == fuller
    assert leading([fuller, a_case(FAILED, host="lb3", held=200)], RULES).subject.name == "lb3"


def test_an_incident_keeps_its_key_and_the_next_of_the_same_cause_has_another() -> None:
    first = Incident(severity="page", cause="backend x", opened_ms=1)
    assert first.key == replace(first, told_ms=5, tellings=3).key
    assert first.key != replace(first, opened_ms=2).key


hosts = st.sets(st.integers(0, 9))


@given(st.lists(st.tuples(hosts, hosts, st.booleans()), max_size=30))
def test_whatever_happens_every_firing_is_told_in_the_end_and_every_word_in_turn(
    story: Sequence[tuple[set[int], set[int], bool]],
) -> None:
    """Firing before resolved, resolved before the next firing; and nothing that fires unhidden is kept from anybody."""
    told: list[str] = []
    page, running = "page", Story()
    for second, (firing, quiet, is_planned) in enumerate(story):
        running.quiet = {f"lb{number}" for number in quiet}
        fired = [a_case(host=f"lb{number}") for number in sorted(firing)]
        plans = [a_case(WARM)] if is_planned else []
        told += [words.split()[1] for words in running.at(second, *fired, *plans) if words.startswith(page)]
        incident = running.open.get((page, "backend 10.0.9.21:8080"))
        if firing - quiet:
            assert incident
            assert incident.told_ms is not None
        assert (incident is not None) == bool(firing)
    spoken = [word for word in told if word != Telling.GREW]
    assert spoken == (["firing", "resolved"] * len(spoken))[: len(spoken)]
