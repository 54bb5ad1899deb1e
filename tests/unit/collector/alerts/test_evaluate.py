"""All rules on one host."""

from dataclasses import replace

from collector.alerts.builtin import BUILT_IN
from collector.alerts.evaluate import Case, Key, Sight, Verdict, judge
from collector.alerts.observe import Forecast
from collector.alerts.rules import Rule
from collector.alerts.step import AlertState, Told
from collector.alerts.where import Place, Where
from shared.model import Kind, Snapshot
from tests.builders import NOON_MS, a_failure, a_pool, a_reading, a_snapshot

LB1 = Place(host="lb1", role="edge", labels={"site": "eu"})
AT_ONCE = (
    Rule(name="warm", severity="plan", raise_at=0.7, clear_at=0.6),
    Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75),
)


def a_sight(snapshot: Snapshot | None, now_ms: int = NOON_MS) -> Sight:
    return Sight(place=LB1, snapshot=snapshot, now_ms=now_ms)


def after(cases: dict[Key, Case], snapshot: Snapshot | None, now_ms: int = NOON_MS) -> list[Verdict]:
    verdicts = judge(AT_ONCE, cases, a_sight(snapshot, now_ms))
    cases.update({verdict.case.key: verdict.case for verdict in verdicts})
    return verdicts


def states(cases: dict[Key, Case]) -> dict[str, AlertState]:
    return {case.rule: case.alert.state for case in cases.values()}


def test_a_calm_pool_has_no_case() -> None:
    """Ten thousand hosts have millions of calm pools; none of them needs a row."""
    assert judge(BUILT_IN, {}, a_sight(a_snapshot(a_reading(100)))) == []


def test_each_rule_judges_for_itself() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(220)))
    assert states(cases) == {"warm": AlertState.FIRING}


def test_a_pool_that_vanished_from_a_complete_listing_resolves() -> None:
    """HAProxy's clients left: the pool is not listed with 0, it is not listed."""
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    verdicts = after(cases, a_snapshot(seq=2), NOON_MS + 1_000)
    assert [verdict.transition and verdict.transition.told for verdict in verdicts] == [Told.RESOLVED] * 2
    assert {verdict.case.seen.reading.held for verdict in verdicts if verdict.case.seen.reading} == {0}


def test_silence_makes_every_case_unknown() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    after(cases, None, NOON_MS + 60_000)
    assert set(states(cases).values()) == {AlertState.UNKNOWN}


def test_what_was_last_seen_is_kept_while_nothing_is() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    after(cases, a_failure(seq=2), NOON_MS + 10_000)
    assert [(case.seen.reading, case.seen_ms) for case in cases.values()] == [(a_reading(290), NOON_MS)] * 2


def test_one_pool_says_nothing_of_another() -> None:
    cases: dict[Key, Case] = {}
    other = a_reading(290, pool=a_pool(9002))
    after(cases, a_snapshot(a_reading(290), other))
    after(cases, a_snapshot(a_reading(0), other, seq=2), NOON_MS + 1)
    assert {
        case.subject.pool.peer_port: case.alert.state
        for case in cases.values()
        if case.rule == "hot" and case.subject.pool
    } == {
        9001: AlertState.OK,
        9002: AlertState.FIRING,
    }


def test_a_firing_case_keeps_its_counts_current() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(280)))
    after(cases, a_snapshot(a_reading(299), seq=2), NOON_MS + 1)
    assert {case.seen.reading.held for case in cases.values() if case.seen.reading} == {299}


def test_what_is_calm_again_is_not_written_at_every_snapshot() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(280)))
    after(cases, a_snapshot(a_reading(10), seq=2), NOON_MS + 1)
    assert after(cases, a_snapshot(a_reading(11), seq=3), NOON_MS + 2) == []


def test_a_rule_that_was_taken_away_resolves_its_cases() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    verdicts = judge(AT_ONCE[:1], cases, a_sight(a_snapshot(a_reading(290), seq=2), NOON_MS + 1))
    resolved = [verdict.case.rule for verdict in verdicts if verdict.transition]
    assert resolved == ["hot"]


def test_readings_beside_a_failure_are_not_believed() -> None:
    cases: dict[Key, Case] = {}
    assert after(cases, a_snapshot(a_reading(290), failure="half a dump")) == []


def test_what_a_rule_is_not_about_it_does_not_judge() -> None:
    elsewhere = Rule(name="hot", severity="page", raise_at=0.5, where=Where(role=("db",)))
    binding = Rule(name="bind", severity="page", raise_at=0.5, where=Where(kind=("bind",)))
    bind_pool = a_pool(0, kind=Kind.BIND, peer="127.0.0.1")
    verdicts = judge([elsewhere, binding], {}, a_sight(a_snapshot(a_reading(290), a_reading(290, pool=bind_pool))))
    assert [verdict.case.subject.pool for verdict in verdicts] == [bind_pool]


def test_a_case_that_its_rule_no_longer_is_about_resolves() -> None:
    cases: dict[Key, Case] = {}
    after(cases, a_snapshot(a_reading(290)))
    narrowed = [replace(rule, where=Where(peer=(":9002",))) for rule in AT_ONCE]
    verdicts = judge(narrowed, cases, a_sight(a_snapshot(a_reading(290), seq=2), NOON_MS + 1))
    assert [verdict.transition and verdict.transition.told for verdict in verdicts] == [Told.RESOLVED] * 2


def test_each_condition_of_a_pool_can_fire() -> None:
    rules = [
        Rule(name="few", severity="page", condition="headroom", raise_at=20, clear_at=40),
        Rule(name="knee", severity="plan", condition="knee"),
        Rule(name="failed", severity="page", condition="failures", raise_at=1),
        Rule(name="soon", severity="page", condition="seconds-until-spent", raise_at=900),
    ]
    reading = replace(a_reading(290), knee=True, failures=2)
    sight = replace(a_sight(a_snapshot(reading)), foresee=lambda *_: Forecast(300.0, 1.0))
    assert [verdict.case.rule for verdict in judge(rules, {}, sight)] == ["few", "knee", "failed", "soon"]
    assert [verdict.case.rule for verdict in judge(rules, {}, a_sight(a_snapshot(a_reading(290))))] == ["few"]


def test_a_forecast_nobody_has_opens_nothing_and_resolves_nothing() -> None:
    rule = Rule(name="soon", severity="page", condition="seconds-until-spent", raise_at=900)
    foretold = replace(a_sight(a_snapshot(a_reading(290))), foresee=lambda *_: Forecast(300.0, 1.0))
    [fired] = judge([rule], {}, foretold)
    [unknown] = judge([rule], {fired.case.key: fired.case}, a_sight(a_snapshot(a_reading(290), seq=2), NOON_MS + 1))
    assert (unknown.case.alert.state, unknown.case.alert.fired_ms) == (AlertState.UNKNOWN, NOON_MS)
    [calm] = judge([rule], {fired.case.key: unknown.case}, a_sight(a_snapshot(a_reading(5), seq=3), NOON_MS + 2))
    assert calm.case.alert.state is AlertState.OK
