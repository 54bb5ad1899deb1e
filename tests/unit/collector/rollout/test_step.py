"""A rollout goes on while its hosts fare well, waits while one is silent, and halts when one fares badly."""

from dataclasses import replace
from typing import Any

import pytest

from collector.fleet.host import Host
from collector.rollout.plan import Rollout, State
from collector.rollout.step import SILENCE_HALTS_MS, step, waits_for
from tests.builders import NOON_MS
from tests.unit.collector.rollout.test_plan import a_rollout

MINUTE_MS = 60_000
PATIENCE_MS = 30_000
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


def silent_for(silence_ms: int) -> list[Host]:
    """As seen at BAKED_MS: the canary has it, and was last heard of so long before."""
    return [a_host(at_ms=BAKED_MS - silence_ms, revision=1), a_host("lb8", at_ms=BAKED_MS)]


def test_a_host_that_falls_silent_holds_it_until_it_is_heard_again() -> None:
    """One slow disk makes a whole fleet silent for some seconds: that is no reason to go on, nor to throw it away."""
    held = step(begun(), silent_for(PATIENCE_MS + SILENCE_HALTS_MS), BAKED_MS)
    assert (held.state, held.step) == (State.RUNNING, 0)
    assert step(held, silent_for(0), BAKED_MS).step == 1


def test_a_silence_that_lasts_halts_it() -> None:
    halted = step(begun(), silent_for(PATIENCE_MS + SILENCE_HALTS_MS + 1), BAKED_MS)
    assert (halted.state, halted.why) == (
        State.HALTED,
        "lb7 has gone silent: not heard of since 2026-11-22 12:09:29 UTC",
    )


def test_what_a_silent_host_told_before_still_halts_it() -> None:
    restarted = a_host(at_ms=BAKED_MS - PATIENCE_MS - 1, started_ms=6)
    assert step(begun(), [restarted], BAKED_MS).why == "lb7 was restarted"


def test_a_collector_that_was_away_blames_no_host_for_what_it_could_not_hear() -> None:
    silent = silent_for(5 * MINUTE_MS)
    assert step(begun(), silent, BAKED_MS, listening_ms=BAKED_MS - 10_000).state is State.RUNNING
    late_ms = BAKED_MS + PATIENCE_MS + SILENCE_HALTS_MS + 1
    assert step(begun(), silent, late_ms, listening_ms=BAKED_MS).state is State.HALTED


def test_a_host_that_was_silent_when_it_was_reached_is_watched_from_its_next_word_on() -> None:
    reached = step(replace(a_rollout(), step_ms=NOON_MS), [a_host(at_ms=NOON_MS - MINUTE_MS)], NOON_MS)
    assert reached.baseline == {}
    heard = step(reached, [a_host(at_ms=NOON_MS + 1)], NOON_MS + 1)
    assert step(heard, [a_host(at_ms=NOON_MS + 2, failure="x")], NOON_MS + 2).why == "lb7 has gone blind: x"


@pytest.mark.parametrize(
    ("hosts", "at_ms", "what"),
    [
        (silent_for(MINUTE_MS), BAKED_MS, "lb7: silent since 2026-11-22 12:10:00 UTC"),
        ([a_host("lb8", at_ms=BAKED_MS)], BAKED_MS, "lb7: no host of this name that it is for has reported"),
        ([a_host(at_ms=BAKED_MS)], BAKED_MS, "lb7: not in force there yet"),
        (silent_for(0), BAKED_MS - 2 * MINUTE_MS, "the end of its bake, in 60 s"),
        (silent_for(0), BAKED_MS, ""),
    ],
)
def test_it_says_what_it_waits_for(hosts: list[Host], at_ms: int, what: str) -> None:
    assert waits_for(begun(), hosts, at_ms) == what
    assert (step(begun(), hosts, at_ms).step == 0) == bool(what), "what it says is what it goes by"


def test_it_says_how_many_hosts_it_waits_for() -> None:
    last = replace(begun(), step=4)
    others = [a_host(f"lb{number}", at_ms=BAKED_MS) for number in range(20, 24)]
    told = waits_for(last, [a_host(at_ms=BAKED_MS, revision=1), *others], BAKED_MS)
    assert told.endswith(" and 3 more: not in force there yet")


def test_what_does_not_run_waits_for_nothing() -> None:
    assert waits_for(replace(begun(), state=State.PAUSED), silent_for(MINUTE_MS), BAKED_MS) == ""
