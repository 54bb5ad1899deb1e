"""Failures are counted by destination, exactly, in bounded room."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.failures import MOST_TARGETS, NEEDS, Blame, FailureCount, Failures, Ledger, Target, blame, target_of
from agent.perf.layout import parse_format
from shared.addresses import parse_ip
from shared.model import Kind, Reading
from tests.builders import a_namespace, a_pool, a_reading
from tests.tracepoint import FORMAT, an_event

LAYOUT = parse_format(FORMAT, NEEDS)
COUNTS = st.builds(
    lambda count, first, more: FailureCount(count, first, first + more),
    st.integers(1, 1000),
    st.integers(0, 10**12),
    st.integers(0, 10**6),
)
TARGETS = st.builds(lambda port: Target(1, b"\x7f\0\0\1", b"\x7f\0\0\1", port), st.integers(1, 20))
STRETCHES = st.builds(Failures, st.dictionaries(TARGETS, COUNTS, max_size=20), st.integers(0, 100))


def total(failures: Failures) -> int:
    return failures.unnamed + sum(one.count for one in failures.by_target.values())


def test_an_event_names_its_pool() -> None:
    target = target_of(an_event("10.0.0.1", "10.0.0.2", 443), LAYOUT, netns=5)

    assert target == Target(5, parse_ip("10.0.0.1"), parse_ip("10.0.0.2"), 443)


def test_ipv6_events_are_read_from_their_own_fields() -> None:
    assert target_of(an_event("fd00::1", "fd00::2", family=10), LAYOUT).peer == parse_ip("fd00::2")


def test_a_v4_mapped_attempt_belongs_to_ipv4s_pool() -> None:
    assert target_of(an_event(family=10), LAYOUT) == target_of(an_event(family=2), LAYOUT)


@given(STRETCHES, STRETCHES)
def test_no_failure_is_lost_or_invented_when_stretches_are_joined(one: Failures, other: Failures) -> None:
    both = one.plus(other)

    assert total(both) == total(one) + total(other)
    assert {target: count.count for target, count in both.by_target.items()} == {
        target: count.count for target, count in other.plus(one).by_target.items()
    }
    assert all(count.first_ms <= count.last_ms for count in both.by_target.values())


def test_first_and_last_times_span_both_stretches() -> None:
    assert FailureCount(2, 100, 200) + FailureCount(1, 50, 60) == FailureCount(3, 50, 200)


def test_a_storm_of_destinations_stays_bounded_and_keeps_the_worst_named() -> None:
    storm = {Target(1, b"\0" * 4, number.to_bytes(4), 80): FailureCount(1, 0, 0) for number in range(MOST_TARGETS)}
    worst = Target(1, b"\0" * 4, b"\x0a\0\0\1", 443)

    joined = Failures(storm).plus(Failures({worst: FailureCount(9, 0, 0)}))

    assert len(joined.by_target) == MOST_TARGETS
    assert worst in joined.by_target
    assert joined.unnamed == 1


# --- whose they are --------------------------------------------------------------------------------------------------

HOST = a_namespace("host")
POD = replace(a_namespace("pod", reserved=100), inode=42)


def failed(count: int, *, netns: int = HOST.inode, port: int = 9001, unnamed: int = 0) -> Failures:
    loop = parse_ip("127.0.0.1")
    return Failures({Target(netns, loop, loop, port): FailureCount(count, 0, 0)}, unnamed)


def full(name: str, held: int = 300) -> Reading:
    return a_reading(held, pool=a_pool(netns=name))


@pytest.mark.parametrize(("netns", "name"), [(HOST.inode, "host"), (POD.inode, "pod")])
def test_a_failure_goes_to_the_pool_of_its_own_namespace(netns: int, name: str) -> None:
    found = blame(failed(7, netns=netns), [HOST, POD], [full("host"), full("pod")])

    assert found == Blame({a_pool(netns=name): 7})


def test_without_a_namespace_it_goes_to_the_fullest_pool_with_these_addresses() -> None:
    found = blame(failed(7, netns=0), [HOST, POD], [full("host", 20), full("pod", 290)])

    assert found == Blame({a_pool(netns="pod"): 7})


def test_a_pool_that_is_not_listed_is_blamed_where_least_can_be_lent() -> None:
    assert blame(failed(7, netns=0), [HOST, POD], []) == Blame({a_pool(netns="pod"): 7})
    assert blame(failed(7), [HOST, POD], []) == Blame({a_pool(netns="host"): 7})


def test_pools_of_other_kinds_are_never_blamed() -> None:
    binders = a_reading(300, pool=replace(a_pool(), kind=Kind.BIND))

    assert blame(failed(7), [HOST], [binders]) == Blame({a_pool(): 7})


def test_what_belongs_to_no_sampled_pool_is_counted_all_the_same() -> None:
    assert blame(failed(7, netns=99, unnamed=3), [HOST, POD], [full("host")]) == Blame({}, 10)
    assert blame(failed(7, netns=0), [], []) == Blame({}, 7)


@given(STRETCHES)
def test_every_failure_is_blamed_once_or_astray(failures: Failures) -> None:
    found = blame(failures, [replace(HOST, inode=1), POD], [full("host"), full("pod")])

    assert sum(found.pools.values()) + found.astray == total(failures)


def test_a_ledger_gives_each_failure_once() -> None:
    ledger = Ledger()
    ledger.add(failed(2))
    ledger.add(failed(3))

    assert total(ledger.take()) == 5
    assert ledger.take() == Failures()
