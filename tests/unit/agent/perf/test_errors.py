"""What keeps us from watching is told with what to grant."""

import errno

import pytest

from agent.perf.errors import PerfMalformed, PerfRefused, TracefsUnavailable, UnknownLayout, WatchUnavailable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TracefsUnavailable("not mounted"), ["not mounted", "mount -t tracefs", "CAP_SYS_ADMIN"]),
        (PerfRefused(errno.EACCES), ["Permission denied (EACCES)", "CAP_PERFMON"]),
        (UnknownLayout("field dport of 2 bytes"), ["has no field dport of 2 bytes"]),
    ],
)
def test_each_reason_says_what_is_missing(error: WatchUnavailable, words: list[str]) -> None:
    assert str(error).startswith("connect() failures cannot be watched: ")
    assert all(word in str(error) for word in words)


def test_only_a_missing_right_is_said_to_be_one() -> None:
    assert "CAP_PERFMON" not in str(PerfRefused(errno.EMFILE))


def test_a_malformed_record_carries_its_facts() -> None:
    error = PerfMalformed(8, 100, 40)

    assert (error.at, error.length, error.available) == (8, 100, 40)
