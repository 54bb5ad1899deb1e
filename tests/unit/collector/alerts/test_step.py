"""The state machine of one alert, one property at a time. Whole stories are in tests/stories."""

from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.observe import Observation
from collector.alerts.rules import Rule
from collector.alerts.step import Alert, AlertState, Told, close, step
from tests.builders import NOON_MS, a_reading

RULE = Rule(name="hot", severity="critical", raise_at=0.85, clear_at=0.75, hold_s=10)
FIRING = Alert(AlertState.FIRING, NOON_MS, NOON_MS, NOON_MS)


def seen(held: int, *, is_bound: bool = False) -> Observation:
    return Observation(a_reading(held), is_bound)


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
def test_whatever_happens_firing_and_resolved_are_told_in_turns(story: list[tuple[Observation | None, int]]) -> None:
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
def test_without_data_it_is_never_ok(story: list[tuple[Observation | None, int]]) -> None:
    alert, now_ms = Alert(), NOON_MS
    for observation, passed_ms in story:
        now_ms += passed_ms
        alert, _ = step(RULE, alert, observation, now_ms)
    after, _ = step(RULE, alert, None, now_ms)
    assert after.state is AlertState.UNKNOWN
    assert after.fired_ms == alert.fired_ms
