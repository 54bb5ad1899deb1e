"""A rollout goes on while its hosts fare well, and halts when one does not."""

from dataclasses import replace
from typing import Any

import pytest

from collector.fleet.host import Host
from collector.rollout.plan import Rollout, State
from collector.rollout.step import step
from tests.builders import NOON_MS
from tests.unit.collector.rollout.test_plan import a_rollout

MINUTE_MS = 60_000
BAKED_MS = NOON_MS + 11 * MINUTE_MS


def a_host(
    name: str = "lb7", *, at_ms: int = NOON_MS, failure: str | None = None, cpu_ms: int = 0, **state: Any
) -> Host:
    told = {"started_ms": 5, "dropped": 0, "revision": 0, "failed": 0, "why": "", "features": []} | state
    return Host(
        id=1,
        name=name,
        boot_id="b",
        labels={"role": "edge"},
        latest_received_ms=at_ms,
        latest_taken_ms=at_ms,
        interval_ms=10_000,
        failure=failure,
        cpu_ms=cpu_ms,
        state=told,
    )


def begun() -> Rollout:
    return step(replace(a_rollout(), step_ms=NOON_MS), [a_host(), a_host("lb8")], NOON_MS)


def test_it_goes_on_once_its_canary_has_applied_it_and_baked() -> None:
    good = [a_host(at_ms=BAKED_MS, revision=1), a_host("lb8", at_ms=BAKED_MS)]
    assert step(begun(), good, NOON_MS + MINUTE_MS).step == 0
    assert step(begun(), good, BAKED_MS).step == 1
    assert step(begun(), [a_host(at_ms=BAKED_MS)], BAKED_MS).step == 0, "the canary has not applied it"


def test_it_is_done_after_its_last_step() -> None:
    last = replace(begun(), step=4)
    assert step(last, [a_host(at_ms=BAKED_MS, revision=1)], BAKED_MS).state is State.DONE
    lagging = [a_host(at_ms=BAKED_MS, revision=1), a_host("lb8", at_ms=BAKED_MS)]
    assert step(last, lagging, BAKED_MS).state is State.RUNNING


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        (a_host(at_ms=BAKED_MS, failure="no socket"), "lb7 has gone blind: no socket"),
        (a_host(), "lb7 has gone silent"),
        (a_host(at_ms=BAKED_MS, started_ms=6), "lb7 was restarted"),
        (a_host(at_ms=BAKED_MS, dropped=3), "lb7 dropped 3 snapshots"),
        (a_host(at_ms=BAKED_MS, cpu_ms=66_000), "lb7 takes 0.100 of a core"),
        (a_host(at_ms=BAKED_MS, failed=1, why="labels: need fewer"), "lb7 does not use it: labels: need fewer"),
    ],
)
def test_it_halts_and_says_why(canary: Host, why: str) -> None:
    halted = step(begun(), [canary, a_host("lb8", at_ms=BAKED_MS)], BAKED_MS)
    assert halted.state is State.HALTED
    assert halted.why.startswith(why)
    assert step(halted, [a_host(at_ms=BAKED_MS, revision=1)], BAKED_MS) == halted, "only a person resumes it"


def test_a_host_that_was_mute_before_halts_nothing() -> None:
    before = step(replace(a_rollout(), step_ms=NOON_MS), [a_host(failure="x")], NOON_MS)
    assert step(before, [a_host(at_ms=BAKED_MS, failure="x")], BAKED_MS).state is State.RUNNING


def test_trouble_on_a_host_it_has_not_reached_is_not_its_own() -> None:
    hosts = [a_host(at_ms=BAKED_MS, revision=1), a_host("core", at_ms=BAKED_MS, failure="x")]
    assert step(begun(), hosts, BAKED_MS).step == 1
