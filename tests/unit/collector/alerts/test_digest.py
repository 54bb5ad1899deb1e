"""The near-miss report: when it is due, and what it says."""

from collector.alerts.digest import DAILY, DAY_MS, GRACE_MS, HOUR_MS, WEEKLY, Findings, Near, Period, due, report
from tests.builders import NOON_MS, a_pool

MIDNIGHT_MS = NOON_MS - 12 * HOUR_MS
"""2026-11-22, a Sunday, began."""
SEVEN = 7 * 60
YESTERDAY = Period(DAILY, MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS)


def near(occupancy: float = 0.971, host: str = "lb1") -> Near:
    return Near(host, "edge", a_pool(), occupancy, MIDNIGHT_MS - 2 * HOUR_MS)


def findings(*found: Near, hours_known: int = 24) -> Findings:
    return Findings(near=found, most=3, hours_known=hours_known)


def test_a_day_is_due_at_its_time_and_for_twelve_hours() -> None:
    at_ms = MIDNIGHT_MS + 7 * HOUR_MS
    told = {shift: due([DAILY], SEVEN, at_ms + shift) for shift in (-1, 0, GRACE_MS, GRACE_MS + 1)}
    assert told == {-1: [], 0: [YESTERDAY], GRACE_MS: [YESTERDAY], GRACE_MS + 1: []}


def test_a_week_is_due_on_mondays_and_goes_from_monday_to_monday() -> None:
    monday_ms = MIDNIGHT_MS + DAY_MS
    assert due([WEEKLY], SEVEN, NOON_MS) == []
    [week] = due([WEEKLY], SEVEN, monday_ms + 8 * HOUR_MS)
    assert (week.from_ms, week.to_ms) == (monday_ms - 7 * DAY_MS, monday_ms)


def test_reports_have_keys_of_their_own_and_one_thread_a_kind() -> None:
    week = Period(WEEKLY, YESTERDAY.from_ms, YESTERDAY.to_ms + 6 * DAY_MS)
    before = Period(DAILY, YESTERDAY.from_ms - DAY_MS, YESTERDAY.from_ms)
    assert len({YESTERDAY.key, week.key, before.key}) == 3
    assert YESTERDAY.thread == before.thread != week.thread


def test_it_names_the_nearest_and_says_how_many() -> None:
    made = report(YESTERDAY, findings(near(), near(0.52, "lb2")), NOON_MS, "http://x/near-misses").document
    assert made["text"].splitlines() == [
        f"Near misses of 2026-11-21 (UTC): 2 pools were half full or more, the fullest at 97.1 %: lb1: {a_pool()}",
        " 97.1 %  lb1 (edge)  127.0.0.1 -> 127.0.0.1:9001, in the hour of 2026-11-21 22:00",
        "   52 %  lb2 (edge)  127.0.0.1 -> 127.0.0.1:9001, in the hour of 2026-11-21 22:00",
        "http://x/near-misses",
    ]
    assert (made["pools"], made["items"][0]["margin"], made["state"]) == (2, 0.029, "report")


def test_more_than_are_read_are_said_to_be_more() -> None:
    assert "3 or more pools were" in report(YESTERDAY, findings(near(), near(), near()), NOON_MS).document["summary"]


def test_nothing_near_is_told_and_is_not_the_same_as_nothing_known() -> None:
    calm = report(YESTERDAY, findings(), NOON_MS).document["summary"]
    dark = report(YESTERDAY, findings(hours_known=0), NOON_MS).document["summary"]
    assert calm == "Near misses of 2026-11-21 (UTC): none, no pool was half full"
    assert dark == "Near misses of 2026-11-21 (UTC): unknown, history holds nothing of that time"
    assert (
        "History knows 20 of these 24 hours." in report(YESTERDAY, findings(hours_known=20), NOON_MS).document["text"]
    )
