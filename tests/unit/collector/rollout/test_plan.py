"""Whom a rollout has reached."""

from itertools import pairwise
from typing import Any

import pytest

from collector.alerts.where import Place, Where
from collector.rollout.plan import Plan, Rollout, State, revision_for, share
from shared.settings import SettingsError, build
from shared.tuning import Tuning
from tests.builders import NOON_MS

GIVEN: dict[str, Any] = {"author": "ops", "reason": "test", "settings": {"interval_s": 5.0}}
EDGE = [Place(host=f"lb{number}", role="edge") for number in range(1000)]


def a_rollout(number: int = 1, step: int = 0, state: State = State.RUNNING) -> Rollout:
    plan = Plan(
        author="ops", reason="r", settings=Tuning(interval_s=5.0), where=Where(role=("edge",)), canaries=("lb7",)
    )
    return Rollout(id=number, plan=plan, created_ms=NOON_MS, step=step, state=state)


def reached(rollout: Rollout) -> set[str]:
    return {place.host for place in EDGE if rollout.has_reached(place)}


def test_canaries_come_first_and_whoever_has_it_keeps_it() -> None:
    by_step = [reached(a_rollout(step=step)) for step in range(5)]
    assert by_step[0] == {"lb7"}
    assert all(earlier < later for earlier, later in pairwise(by_step))
    assert 30 < len(by_step[1]) < 80
    assert len(by_step[4]) == 1000


def test_a_host_of_another_role_is_never_reached() -> None:
    assert not a_rollout(step=4).has_reached(Place(host="lb7", role="core"))


def test_the_newest_revision_that_reached_a_host_is_its_own_unless_it_was_aborted() -> None:
    older, newer = a_rollout(1, step=4, state=State.DONE), a_rollout(2)
    found = {host: revision_for([older, newer], Place(host=host, role="edge")) for host in ("lb7", "lb8")}
    assert {host: one and one.id for host, one in found.items()} == {"lb7": 2, "lb8": 1}
    aborted = a_rollout(2, state=State.ABORTED)
    assert revision_for([older, aborted], Place(host="lb7", role="edge")) == older
    assert revision_for([aborted], Place(host="lb7", role="edge")) is None


def test_other_hosts_go_first_each_time() -> None:
    assert share("lb1", 1) != share("lb1", 2)
    assert 0 <= share("lb1", 1) < 100


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"reason": " "}, "reason"),
        ({"steps": [50, 5, 100]}, "steps"),
        ({"steps": [5]}, "steps"),
        ({"bake_s": 0}, "bake_s"),
        ({"where": {"kind": ["udp"]}}, "where"),
        ({"settings": {"collector": "http://x"}}, "settings.collector"),
        ({"where": {"labels": {"tier": "1"}}, "settings": {"labels": {"tier": "2"}}}, "settings.labels"),
    ],
)
def test_a_plan_that_could_not_work_is_refused(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build(Plan, GIVEN | changes, "x")
    assert caught.value.key == key


def test_a_plan_comes_back_from_a_document_as_it_was() -> None:
    plan = a_rollout().plan
    assert build(Plan, plan.document(), "x") == plan
