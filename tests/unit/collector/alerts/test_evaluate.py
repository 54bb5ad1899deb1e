"""All rules on one host."""

from collector.alerts.evaluate import Case, Subject, Verdict, judge
from collector.alerts.rules import BUILT_IN, Rule
from collector.alerts.step import AlertState, Told
from shared.model import Snapshot
from tests.builders import NOON_MS, a_failure, a_pool, a_reading, a_snapshot

AT_ONCE = (
    Rule(name="warm", severity="warning", raise_at=0.7, clear_at=0.6),
    Rule(name="hot", severity="critical", raise_at=0.85, clear_at=0.75),
)


def after(cases: dict[Subject, Case], snapshot: Snapshot | None, now_ms: int = NOON_MS) -> list[Verdict]:
    verdicts = judge(AT_ONCE, cases, snapshot, now_ms)
    cases.update({verdict.case.subject: verdict.case for verdict in verdicts})
    return verdicts


def states(cases: dict[Subject, Case]) -> dict[str, AlertState]:
    return {case.rule: case.alert.state for case in cases.values()}


def test_a_calm_pool_has_no_case() -> None:
    """Ten thousand hosts have millions of calm pools; none of them needs a row."""
    assert judge(BUILT_IN, {}, a_snapshot(a_reading(100)), NOON_MS) == []


def test_each_rule_judges_for_itself() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(220)))
    assert states(cases) == {"warm": AlertState.FIRING}


def test_a_pool_that_vanished_from_a_complete_listing_resolves() -> None:
    """HAProxy's clients left: the pool is not listed with 0, it is not listed."""
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    verdicts = after(cases, a_snapshot(seq=2), NOON_MS + 1_000)
    assert [verdict.transition and verdict.transition.told for verdict in verdicts] == [Told.RESOLVED] * 2
    assert {verdict.case.seen.reading.held for verdict in verdicts} == {0}


def test_silence_makes_every_case_unknown() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    after(cases, None, NOON_MS + 60_000)
    assert set(states(cases).values()) == {AlertState.UNKNOWN}


def test_what_was_last_seen_is_kept_while_nothing_is() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    after(cases, a_failure(seq=2), NOON_MS + 10_000)
    assert {(case.seen.reading.held, case.seen_ms) for case in cases.values()} == {(290, NOON_MS)}


def test_one_pool_says_nothing_of_another() -> None:
    cases: dict[Subject, Case] = {}
    other = a_reading(290, pool=a_pool(9002))
    after(cases, a_snapshot(a_reading(290), other))
    after(cases, a_snapshot(a_reading(0), other, seq=2), NOON_MS + 1)
    assert {case.pool.peer_port: case.alert.state for case in cases.values() if case.rule == "hot"} == {
        9001: AlertState.OK,
        9002: AlertState.FIRING,
    }


def test_a_firing_case_keeps_its_counts_current() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(280)))
    after(cases, a_snapshot(a_reading(299), seq=2), NOON_MS + 1)
    assert {case.seen.reading.held for case in cases.values()} == {299}


def test_what_is_calm_again_is_not_written_at_every_snapshot() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(280)))
    after(cases, a_snapshot(a_reading(10), seq=2), NOON_MS + 1)
    assert after(cases, a_snapshot(a_reading(11), seq=3), NOON_MS + 2) == []


def test_a_rule_that_was_taken_away_resolves_its_cases() -> None:
    cases: dict[Subject, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    verdicts = judge(AT_ONCE[:1], cases, a_snapshot(a_reading(290), seq=2), NOON_MS + 1)
    resolved = [verdict.case.rule for verdict in verdicts if verdict.transition]
    assert resolved == ["hot"]


def test_readings_beside_a_failure_are_not_believed() -> None:
    cases: dict[Subject, Case] = {}
    assert after(cases, a_snapshot(a_reading(290), failure="half a dump")) == []
