"""What the page says."""

from dataclasses import replace

import pytest

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.observe import Forecast, Observation
from collector.alerts.step import Alert, AlertState
from collector.alerts.subject import Subject, of_pool
from collector.fleet.host import Host, PoolNow
from collector.web.view import ago, describe_alert, describe_host, describe_pool, subject_link
from shared.model import Reading
from tests.builders import NOON_MS, a_reading


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (8, "8 s"), (200, "3 min"), (18_000, "5 h"), (200_000, "2 d")]
)
def test_durations_are_told_in_one_unit(seconds: int, text: str) -> None:
    assert ago(NOON_MS - seconds * 1000, NOON_MS) == text


def test_a_silent_host_is_unknown_and_says_since_when() -> None:
    row = describe_host(Host(id=1, name="lb1", latest_received_ms=NOON_MS, interval_ms=1_000), NOON_MS + 120_000)
    assert (row.state, row.detail) == ("silent", "unknown: nothing received for 2 min")


def test_a_blind_host_says_why() -> None:
    row = describe_host(Host(id=1, name="lb1", latest_received_ms=NOON_MS, failure="no netlink"), NOON_MS)
    assert row.detail == "unknown: it cannot sample: no netlink"


@pytest.mark.parametrize(("held", "heat"), [(100, "calm"), (150, "warm"), (255, "hot")])
def test_heat_is_coloured(held: int, heat: str) -> None:
    assert describe_pool(PoolNow("lb1", None, a_reading(held), NOON_MS, is_current=True)).heat == heat


def test_what_may_not_be_believed_is_never_coloured() -> None:
    """A green bar of a dead host is the worst thing the page could show."""
    assert describe_pool(PoolNow("lb1", None, a_reading(10), NOON_MS, is_current=False)).heat == "unknown"


def a_case(state: AlertState, reading: Reading, forecast: Forecast | None = None) -> Case:
    return Case(
        rule="hot",
        severity="page",
        subject=of_pool("lb1", reading.pool),
        alert=Alert(state, NOON_MS, None, NOON_MS - 5_000),
        seen=Observation(reading, forecast=forecast),
        seen_ms=NOON_MS,
    )


def test_an_unknown_alert_that_was_firing_says_so_and_foretells_nothing() -> None:
    case = a_case(AlertState.UNKNOWN, a_reading(255), Forecast(540.0, 6.8))
    detail = describe_alert(case, NOON_MS + 60_000).detail
    assert detail == "for 1 min (was firing), last seen 255 of 300 ports held, 45 left"


def test_who_is_paged_reads_how_long_yet_and_who_holds_it() -> None:
    held = replace(a_reading(255), owner="haproxy.service, pid 1312")
    detail = describe_alert(a_case(AlertState.FIRING, held, Forecast(540.0, 6.8)), NOON_MS + 60_000).detail
    assert detail.endswith("45 left, spent in about 9 min, held by haproxy.service, pid 1312")


def test_what_never_ends_or_has_ended_is_not_foretold() -> None:
    for held, forecast in ((255, Forecast(1e9, 0.1)), (300, Forecast(0.0, 6.8))):
        assert "spent in" not in describe_alert(a_case(AlertState.FIRING, a_reading(held), forecast), NOON_MS).detail


@pytest.mark.parametrize(
    ("held", "spent_in_s", "text"), [(300, None, "none"), (255, 540.0, "about 9 min"), (255, None, "–"), (9, 1e9, "–")]
)
def test_time_left_is_told_where_anything_foretells_it(held: int, spent_in_s: float | None, text: str) -> None:
    assert describe_pool(PoolNow("lb1", None, a_reading(held), NOON_MS, is_current=True), spent_in_s).time_left == text


def test_time_left_of_a_host_that_is_silent_is_unknown() -> None:
    assert describe_pool(PoolNow("lb1", None, a_reading(), NOON_MS, is_current=False), 9.0).time_left == "unknown"


def test_subjects_without_a_view_have_no_link() -> None:
    assert subject_link(Subject(Scope.FLEET)) == ""
    assert subject_link(Subject(Scope.HOST, "a b")) == "/host?host=a+b"
    assert subject_link(Subject(Scope.ROLLOUT, "3")) == "/rollout"
