"""What a host becomes as snapshots of it arrive."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.fleet.host import Arrival, Boot, Host, Presence
from shared.model import Snapshot
from tests.builders import NOON_MS, a_failure, a_snapshot


def arrived(snapshot: Snapshot, received_ms: int = NOON_MS) -> Arrival:
    return Arrival(snapshot, b"", received_ms)


def a_host(*arrivals: Arrival) -> Host:
    host = Host(id=1, name="lb1")
    for arrival in arrivals:
        if host.is_superseded_by(arrival):
            host = host.with_newest(arrival, missing=0, hot_id=arrival.snapshot.seq)
        else:
            host = host.with_backlog(arrival, missing=0)
    return host


def test_within_a_boot_the_higher_number_is_newer_whatever_the_clocks_say() -> None:
    host = a_host(arrived(a_snapshot(seq=5)))
    assert host.is_superseded_by(arrived(a_snapshot(seq=6, taken_at_ms=NOON_MS - 3_600_000)))
    assert not host.is_superseded_by(arrived(a_snapshot(seq=4, taken_at_ms=NOON_MS + 1)))


def test_a_new_boot_supersedes_the_old_one() -> None:
    host = a_host(arrived(a_snapshot(seq=900)))
    assert host.is_superseded_by(arrived(a_snapshot(boot_id="boot-2", seq=1, taken_at_ms=NOON_MS + 1), NOON_MS + 1))


def test_the_backlog_of_an_old_boot_stays_history() -> None:
    """After an outage an agent sends its newest first, then what an earlier boot had left in the spool."""
    host = a_host(arrived(a_snapshot(boot_id="boot-2", seq=1)))
    late = arrived(a_snapshot(boot_id="boot-1", seq=900, taken_at_ms=NOON_MS - 60_000), NOON_MS + 50)
    assert not host.is_superseded_by(late)


def test_a_clock_set_back_by_a_reboot_does_not_hide_the_host_for_ever() -> None:
    host = a_host(arrived(a_snapshot(seq=900)))
    in_the_past = a_snapshot(boot_id="boot-2", seq=9, taken_at_ms=0)
    assert not host.is_superseded_by(arrived(in_the_past, NOON_MS + 10_000))
    assert host.is_superseded_by(arrived(in_the_past, NOON_MS + 30_001))


def test_a_clock_in_the_future_is_clamped_and_shown_as_skew() -> None:
    host = a_host(arrived(a_snapshot(taken_at_ms=NOON_MS + 90_000)))
    assert (host.latest_taken_ms, host.skew_ms) == (NOON_MS, 90_000)


def test_three_missed_intervals_are_silence() -> None:
    host = a_host(arrived(a_snapshot(interval_ms=10_000)))
    assert host.presence(NOON_MS + 30_000) is Presence.REPORTING
    assert host.presence(NOON_MS + 30_001) is Presence.SILENT


def test_a_fast_agent_is_given_five_seconds() -> None:
    host = a_host(arrived(a_snapshot(interval_ms=200)))
    assert host.presence(NOON_MS + 5_000) is Presence.REPORTING
    assert host.presence(NOON_MS + 5_001) is Presence.SILENT


def test_a_host_that_cannot_sample_is_blind_not_silent() -> None:
    host = a_host(arrived(a_failure("no netlink")))
    assert host.presence(NOON_MS) is Presence.BLIND
    assert host.presence(NOON_MS + 60_000) is Presence.SILENT


def test_backlog_does_not_make_a_silent_host_current() -> None:
    host = a_host(arrived(a_snapshot(seq=5)))
    late = arrived(a_snapshot(seq=4), NOON_MS + 60_000)
    host = host.with_backlog(late, missing=-1)
    assert host.presence(NOON_MS + 60_000) is Presence.SILENT
    assert host.last_seen_ms == NOON_MS + 60_000


def test_a_failure_leaves_the_last_good_snapshot_where_it_is() -> None:
    host = a_host(arrived(a_snapshot(seq=1)), arrived(a_failure(seq=2)))
    assert (host.latest_hot_id, host.latest_good_hot_id) == (2, 1)


def test_a_duplicate_only_counts() -> None:
    host = a_host(arrived(a_snapshot()))
    again = host.with_duplicate(NOON_MS + 5)
    assert again == replace(host, duplicates=1, last_seen_ms=NOON_MS + 5)


def test_the_role_is_a_label() -> None:
    assert a_host(arrived(a_snapshot(labels={"role": "edge"}))).role == "edge"
    assert a_host(arrived(a_snapshot(labels={}))).role is None


@given(st.lists(st.integers(0, 40), unique=True, min_size=1))
def test_missing_counts_the_gaps_in_whatever_order_numbers_come(numbers: list[int]) -> None:
    boot, missing = Boot(numbers[0], numbers[0] - 1), 0
    for number in numbers:
        boot, change = boot.with_seq(number)
        missing += change
    assert missing == max(numbers) - min(numbers) + 1 - len(numbers)
    assert (boot.first_seq, boot.last_seq) == (min(numbers), max(numbers))
