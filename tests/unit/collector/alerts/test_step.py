"""The state machine of one alert, one property at a time. Whole stories are in tests/stories."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.rules import Rule
from collector.alerts.step import (
    FLAP_FORGET_MS,
    FLAP_KEEP_MOST_MS,
    FLAP_KEEP_MS,
    Alert,
    AlertState,
    Span,
    Told,
    Transition,
    close,
    forget,
    keep_needed_ms,
    step,
)
from tests.builders import NOON_MS

RULE = Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75, hold_s=10)
FIRING = Alert(AlertState.FIRING, NOON_MS, NOON_MS, NOON_MS)


def seen(held: int, *, is_bound: bool = False) -> Span:
    return Span(0.0 if is_bound else held / 300, held / 300)


def test_heat_is_pending_until_it_has_been_held() -> None:
    alert, transition = step(RULE, Alert(), seen(280), NOON_MS)
    assert alert.state is AlertState.PENDING
    assert transition is not None
    assert transition.told is None


def test_the_transition_to_firing_is_told_with_its_beginning() -> None:
    pending, _ = step(RULE, Alert(), seen(280), NOON_MS)
    alert, transition = step(RULE, pending, seen(280), NOON_MS + 10_000)
    assert alert.fired_ms == NOON_MS + 10_000
    assert transition is not None
    assert (transition.told, transition.fired_ms) == (Told.FIRING, NOON_MS + 10_000)


def test_between_clear_and_raise_it_goes_on_firing() -> None:
    """The levels stand apart so that a pool that hovers is told once."""
    alert, transition = step(RULE, FIRING, seen(240), NOON_MS + 1)
    assert (alert, transition) == (FIRING, None)


def test_below_clear_it_is_told_as_resolved_with_when_it_had_begun() -> None:
    alert, transition = step(RULE, FIRING, seen(200), NOON_MS + 60_000)
    assert alert == Alert(AlertState.OK, NOON_MS + 60_000)
    assert alert.fired_ms is None
    assert transition is not None
    assert (transition.told, transition.fired_ms) == (Told.RESOLVED, NOON_MS)


def test_a_bound_below_clear_resolves() -> None:
    alert, _ = step(RULE, FIRING, seen(12, is_bound=True), NOON_MS + 1)
    assert alert.state is AlertState.OK


def test_a_bound_above_clear_proves_nothing() -> None:
    """`At most 300 held` may be 300 or none."""
    alert, _ = step(RULE, FIRING, seen(300, is_bound=True), NOON_MS + 1)
    assert alert.state is AlertState.UNKNOWN


def test_a_rule_taken_away_resolves_what_it_told() -> None:
    alert, transition = close(FIRING, NOON_MS + 5)
    assert alert.state is AlertState.OK
    assert transition is not None
    assert transition.told is Told.RESOLVED


def test_a_rule_taken_away_says_nothing_of_what_it_never_told() -> None:
    _, transition = close(Alert(AlertState.PENDING, NOON_MS, NOON_MS), NOON_MS + 5)
    assert transition is not None
    assert transition.told is None


observations = st.one_of(
    st.none(),
    st.builds(lambda held, is_bound: seen(held, is_bound=is_bound), st.integers(0, 300), st.booleans()),
)


@given(st.lists(st.tuples(observations, st.integers(0, 30_000))))
def test_whatever_happens_firing_and_resolved_are_told_in_turns(story: list[tuple[Span | None, int]]) -> None:
    alert, now_ms, told = Alert(), NOON_MS, []
    for observation, passed_ms in story:
        now_ms += passed_ms
        alert, transition = step(RULE, alert, observation, now_ms)
        if transition and transition.told:
            told.append(transition.told)
    expected = [Told.FIRING, Told.RESOLVED] * len(told)
    assert told == expected[: len(told)]
    assert (alert.fired_ms is not None) == (len(told) % 2 == 1)


@given(st.lists(st.tuples(observations, st.integers(0, 30_000)), min_size=1))
def test_without_data_it_is_never_ok(story: list[tuple[Span | None, int]]) -> None:
    alert, now_ms = Alert(), NOON_MS
    for observation, passed_ms in story:
        now_ms += passed_ms
        alert, _ = step(RULE, alert, observation, now_ms)
    after, _ = step(RULE, alert, None, now_ms)
    assert after.state is AlertState.UNKNOWN
    assert after.fired_ms == alert.fired_ms


KEEPING = Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75, hold_s=10, keep_s=60)


def play(rule: Rule, beats: Mapping[int, int | None]) -> dict[int, Told]:
    """What is told when, seconds from noon on; None is no data."""
    alert, told = Alert(), {}
    for second, held in beats.items():
        alert, transition = step(rule, alert, None if held is None else seen(held), NOON_MS + second * 1000)
        if transition and transition.told:
            told[second] = transition.told
    return told


def test_calm_has_to_last_for_the_keep_time() -> None:
    assert play(KEEPING, {0: 290, 10: 290, 20: 5, 70: 5, 79: 5}) == {10: Told.FIRING}
    assert play(KEEPING, {0: 290, 10: 290, 20: 5, 80: 5}) == {10: Told.FIRING, 80: Told.RESOLVED}


def test_heat_and_silence_restart_the_keep_time() -> None:
    """Calm nobody saw is no calm."""
    assert play(KEEPING, {0: 290, 10: 290, 20: 5, 50: 290, 60: 5, 110: 5}) == {10: Told.FIRING}
    assert play(KEEPING, {0: 290, 10: 290, 20: 5, 50: None, 60: 5, 110: 5}) == {10: Told.FIRING}


def test_an_alert_that_keeps_coming_back_is_taken_back_later_each_time() -> None:
    keeps = [keep_needed_ms(RULE, Alert(flaps=flaps)) for flaps in range(12)]
    assert keeps[:6] == [0, 0, 0, FLAP_KEEP_MS, 2 * FLAP_KEEP_MS, 4 * FLAP_KEEP_MS]
    assert keeps[-1] == FLAP_KEEP_MOST_MS


def test_a_pool_that_flaps_for_an_hour_is_told_a_few_times_only() -> None:
    """Hot for 20 s, calm for 20 s, 90 times."""
    beats = {second: 290 if second % 40 < 20 else 5 for second in range(0, 3_600, 10)}
    assert len(play(RULE, beats)) < 8


def test_flaps_are_forgotten() -> None:
    alert = Alert(AlertState.PENDING, NOON_MS, NOON_MS - 60_000, flaps=5, last_fired_ms=NOON_MS - 4 * FLAP_FORGET_MS)
    fired, _ = step(RULE, alert, seen(290), NOON_MS)
    assert (fired.state, fired.flaps) == (AlertState.FIRING, 2)


def test_what_counts_down_fires_below_and_clears_above() -> None:
    rule = Rule(name="low", severity="page", condition="headroom", raise_at=100, clear_at=500)
    alert, _ = step(rule, Alert(), Span(100, 100), NOON_MS)
    assert alert.state is AlertState.FIRING
    still, _ = step(rule, alert, Span(500, 500), NOON_MS + 1)
    assert still.state is AlertState.FIRING
    calm, _ = step(rule, alert, Span(501, 501), NOON_MS + 1)
    assert calm.state is AlertState.OK


def test_a_span_across_the_level_is_unknown() -> None:
    rule = Rule(name="low", severity="page", condition="headroom", raise_at=100, clear_at=500)
    alert, _ = step(rule, Alert(), Span(50, 150), NOON_MS)
    assert alert.state is AlertState.UNKNOWN


def test_a_clock_that_steps_back_neither_fires_early_nor_resolves() -> None:
    pending, _ = step(RULE, Alert(), seen(290), NOON_MS)
    again, transition = step(RULE, pending, seen(290), NOON_MS - 60_000)
    assert (again.state, transition) == (AlertState.PENDING, None)


@given(st.lists(st.tuples(observations, st.integers(0, 30_000))))
def test_it_never_fires_before_it_was_seen_hot_for_the_hold_time(story: list[tuple[Span | None, int]]) -> None:
    alert, now_ms, hot_since_ms = Alert(), NOON_MS, None
    for span, passed_ms in story:
        now_ms += passed_ms
        alert, transition = step(RULE, alert, span, now_ms)
        is_hot = span is not None and span.low >= 0.85
        hot_since_ms = (hot_since_ms or now_ms) if is_hot else None
        if transition and transition.told is Told.FIRING:
            assert hot_since_ms is not None
            assert now_ms - hot_since_ms >= RULE.hold_ms


@given(st.lists(st.tuples(observations, st.integers(0, 30_000))))
def test_it_never_resolves_but_on_data_that_proves_calm(story: list[tuple[Span | None, int]]) -> None:
    alert, now_ms = Alert(), NOON_MS
    for span, passed_ms in story:
        now_ms += passed_ms
        alert, transition = step(KEEPING, alert, span, now_ms)
        if transition and transition.told is Told.RESOLVED:
            assert span is not None
            assert span.high < 0.75


def test_what_is_forgotten_is_over_and_not_resolved() -> None:
    firing = Alert(AlertState.UNKNOWN, NOON_MS, NOON_MS, NOON_MS)
    alert, transition = forget(firing, NOON_MS + 1)
    assert alert == Alert(AlertState.GONE, NOON_MS + 1)
    assert transition == Transition(AlertState.UNKNOWN, AlertState.GONE, NOON_MS + 1, Told.FORGOTTEN, NOON_MS)
    assert forget(Alert(AlertState.PENDING), NOON_MS)[1].told is None
