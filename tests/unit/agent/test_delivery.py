"""What each answer of a collector means, and how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.delivery import (
    BACKLOG_SHARE,
    LEAST_PAUSE_S,
    MOST_PAUSE_S,
    RETRY_AFTER_MOST_S,
    Fate,
    Receipt,
    fate,
    patience_s,
    pause_s,
    receipt,
    retry_after_s,
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Fate.TAKEN), (202, Fate.TAKEN), (204, Fate.TAKEN),
        (401, Fate.NOT_ALLOWED), (403, Fate.NOT_ALLOWED), (415, Fate.NOT_ALLOWED),
        (408, Fate.LATER), (429, Fate.LATER), (500, Fate.LATER), (502, Fate.LATER), (503, Fate.LATER),
        (404, Fate.LATER), (405, Fate.LATER), (301, Fate.LATER),
        (407, Fate.LATER), (413, Fate.TOO_LARGE), (400, Fate.REFUSED), (422, Fate.REFUSED),
    ],
)  # fmt: skip
def test_a_status_decides_the_snapshots_fate(status: int, expected: Fate) -> None:
    assert fate(status, is_accepted=True) is expected


def test_a_success_without_a_receipt_is_none() -> None:
    assert fate(200, is_accepted=False) is Fate.LATER


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"accepted": true, "duplicate": true, "config_revision": 7}', Receipt(is_accepted=True, config_revision=7)),
        (b'{"accepted": true}', Receipt(is_accepted=True)),
        (b'{"accepted": true, "config_revision": "x"}', Receipt(is_accepted=True)),
        (b'{"accepted": 1}', Receipt(is_accepted=False)),
        (b"[]", Receipt(is_accepted=False)),
        (b"", Receipt(is_accepted=False)),
        (b"<html>", Receipt(is_accepted=False)),
    ],
)
def test_only_a_collectors_word_is_a_receipt(body: bytes, expected: Receipt) -> None:
    assert receipt(body) == expected


@given(st.binary())
def test_no_bytes_at_all_disturb_it(body: bytes) -> None:
    receipt(body)


NOON_S = 1_795_348_800.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0), (" 0 ", 0.0), ("999999", 3600.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0), ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sunday, 22-Nov-26 12:00:30 GMT", 30.0), ("Sun, 22 Nov 2099 12:00:00 GMT", 3600.0),
        (None, None), ("soon", None), ("-1", None), ("٣", None), ("", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOON_S) == seconds


@given(st.text())
def test_whatever_stands_in_retry_after_is_survived(header: str) -> None:
    seconds = retry_after_s(header, NOON_S)

    assert seconds is None or 0 <= seconds <= RETRY_AFTER_MOST_S


@given(st.floats(0, 100))
def test_of_ten_thousand_agents_with_a_backlog_the_collector_has_fewer_than_it_admits(took_s: float) -> None:
    pause = pause_s(took_s)

    assert LEAST_PAUSE_S <= pause <= MOST_PAUSE_S
    if pause < MOST_PAUSE_S:
        assert 10_000 * took_s / (took_s + pause) <= 10_000 / (1 + BACKLOG_SHARE) + 1e-6


def test_a_large_snapshot_may_take_longer_on_a_slow_link() -> None:
    assert patience_s(1_000) < 16
    assert patience_s(1_000_000) > 200
