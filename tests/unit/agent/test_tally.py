"""Counting by bytes gives what counting sockets one by one gives, and the sums add up."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.model import NetnsId
from agent.netlink.records import Socket, sockets
from agent.sysctl import INTEGERS
from agent.tally import (
    POOLS_A_NAMESPACE,
    Held,
    Knowledge,
    Summary,
    count,
    count_aged,
    pools,
    reading,
    summarise,
    within_limits,
)
from shared.limits import MAX_BODY_BYTES, MAX_NAMESPACES, MAX_POOLS
from shared.model import Kind, Namespace, Pool, Reading, Remainder
from shared.ports import PortRange, PortSettings
from shared.tcp import State
from shared.wire import encode
from tests.builders import a_namespace, a_snapshot
from tests.kernel_bytes import a_dump, a_socket

HERE = NetnsId("host", 1)
V4 = st.sampled_from([bytes([10, 0, 0, last]) for last in range(1, 4)])
V6 = st.sampled_from([bytes(15) + bytes([last]) for last in range(1, 4)])
STATES = st.sampled_from([State.ESTABLISHED, State.TIME_WAIT, State.CLOSE_WAIT, State.SYN_SENT])
PORTS = st.integers(40_000, 40_299)
PEER_PORTS = st.integers(8_000, 8_003)


def some_sockets() -> st.SearchStrategy[list[Socket]]:
    v4 = st.builds(
        a_socket, local=V4, peer=V4, local_port=PORTS, peer_port=PEER_PORTS, state=STATES, mapped=st.booleans()
    )
    v6 = st.builds(a_socket, local=V6, peer=V6, local_port=PORTS, peer_port=PEER_PORTS, state=STATES)
    repeated = st.builds(lambda one, times: [one] * times, v4 | v6, st.integers(1, 40))
    return st.lists(repeated, max_size=8).map(lambda lists: [one for many in lists for one in many])


def settings(
    low: int = 40_000, high: int = 40_299, reserved: frozenset[int] = frozenset(), **integers: int
) -> PortSettings:
    return PortSettings(PortRange(low, high), reserved, {"tcp_timestamps": 1, **integers})


def a_pool(peer_port: int = 80, local: bytes = bytes([10, 0, 0, 1])) -> Pool:
    return Pool("host", Kind.CONNECT, local, bytes([10, 0, 0, 2]), peer_port)


@given(some_sockets())
def test_the_fast_count_equals_counting_sockets_one_by_one(made: list[Socket]) -> None:
    counts: Counter[tuple[int, int, bytes]] = Counter()
    count(a_dump(made), counts)

    slow: Held = {}
    for one in sockets(a_dump(made)):
        states = slow.setdefault(Pool("host", Kind.CONNECT, one.local, one.peer, one.peer_port), {})
        states[State(one.state)] = states.get(State(one.state), 0) + 1
    assert pools(counts, "host") == slow


@given(some_sockets())
def test_folding_v4_mapped_sockets_changes_no_pool(made: list[Socket]) -> None:
    mapped, plain = Counter[tuple[int, int, bytes]](), Counter[tuple[int, int, bytes]]()
    count(a_dump(made), mapped)
    count(a_dump([one._replace(family=2) if len(one.local) == 4 else one for one in made]), plain)

    assert pools(mapped, "host") == pools(plain, "host")


@given(some_sockets(), st.integers(1, 5))
def test_listed_pools_and_the_remainder_add_up_to_the_totals(made: list[Socket], most: int) -> None:
    counts: Counter[tuple[int, int, bytes]] = Counter()
    count(a_dump(made), counts)
    held = pools(counts, "host")

    summary = summarise(held, HERE, Knowledge(settings(low=1, high=65_535)), most=most)

    rest = summary.namespace.remainder
    assert sum(one.held for one in summary.readings) + rest.held == len(made)
    assert sum(summary.namespace.totals.values()) == len(made)
    assert len(summary.readings) + rest.pools == len(held)
    assert all(one.held >= rest.max_held for one in summary.readings)


def test_capacity_is_the_inclusive_range_less_reserved_less_blocked() -> None:
    summary = summarise(
        {a_pool(): {State.ESTABLISHED: 7}},
        HERE,
        Knowledge(settings(reserved=frozenset({39_999, 40_000, 40_001})), frozenset({40_001, 40_002, 50_000})),
        most=10,
    )

    assert (summary.namespace.reserved, summary.namespace.blocked) == (2, 1)
    assert summary.namespace.capacity == summary.readings[0].capacity == 300 - 2 - 1


def test_time_wait_counts_as_held_and_widens_the_bounds_where_it_may_be_recycled() -> None:
    states = {State.ESTABLISHED: 10, State.TIME_WAIT: 5}

    recycled = reading(a_pool(), states, Knowledge(settings(tcp_tw_reuse=1)))
    kept = reading(a_pool(), states, Knowledge(settings(tcp_tw_reuse=0)))

    assert (recycled.held, recycled.headroom_min, recycled.headroom_max) == (15, 285, 290)
    assert (kept.held, kept.headroom_min, kept.headroom_max) == (15, 285, 285)


def test_where_devices_are_not_told_a_pool_may_hold_nothing_at_all() -> None:
    known = Knowledge(settings(), tells_devices=False)

    one = reading(a_pool(), {State.ESTABLISHED: 30}, known)

    assert (one.held, one.headroom_min, one.headroom_max) == (30, known.capacity - 30, known.capacity)


def test_an_odd_range_may_hide_one_port() -> None:
    one = reading(a_pool(), {State.ESTABLISHED: 1}, Knowledge(settings(high=40_300)))

    assert (one.headroom_min, one.headroom_max) == (299, 300)


def test_more_sockets_than_ports_never_make_a_negative_headroom() -> None:
    one = reading(a_pool(), {State.ESTABLISHED: 400}, Knowledge(settings()))

    assert (one.held, one.headroom_min, one.headroom_max, one.occupancy) == (300, 0, 0, 1.0)


def a_summary(name: str, helds: list[int], rest: Remainder | None = None) -> Summary:
    pools = [Pool(name, Kind.CONNECT, bytes(4), number.to_bytes(4), 80) for number in range(1, len(helds) + 1)]
    readings = (
        Reading(pool, held, 300, 0, 0, {State.ESTABLISHED: held}) for pool, held in zip(pools, helds, strict=True)
    )
    return Summary(a_namespace(name, remainder=rest), tuple(readings))


def test_few_pools_are_all_listed() -> None:
    summaries = [a_summary("host", [9, 8]), a_summary("pod", [])]

    assert within_limits(summaries) == summaries


def test_of_too_many_pools_the_fullest_of_all_namespaces_stay_and_the_sums_with_them() -> None:
    quiet, busy = a_summary("host", [2] * 6_000, Remainder(10, 10, 1)), a_summary("pod", [3] * 6_000)

    trimmed, kept = within_limits([quiet, busy])

    assert kept == busy
    assert len(trimmed.readings) + len(kept.readings) == MAX_POOLS - 2 * POOLS_A_NAMESPACE
    rest, dropped = trimmed.namespace.remainder, 6_000 - len(trimmed.readings)
    assert (rest.pools, rest.held, rest.max_held) == (10 + dropped, 10 + 2 * dropped, 2)


def test_the_most_namespaces_with_the_pools_beside_them_fit_one_body() -> None:
    """Names, sums and pools of the longest form there is."""
    namespaces = [
        Namespace(
            name=f"{number:04}".ljust(221, "x"),
            inode=2**32 - 1,
            port_range=PortRange(32_768, 60_999),
            reserved=1_000,
            blocked=1_000,
            settings=dict.fromkeys(INTEGERS, 2**31 - 1),
            totals=dict.fromkeys(State, 2**31 - 1),
            remainder=Remainder(2**31 - 1, 2**31 - 1, 65_535),
        )
        for number in range(MAX_NAMESPACES)
    ]
    states = dict.fromkeys(State, 5_000)
    summaries = [
        Summary(
            one,
            tuple(
                Reading(Pool(one.name, Kind.CONNECT, bytes(16), number.to_bytes(16), 65_535), 9, 300, 0, 0, states)
                for number in range(20)
            ),
        )
        for one in namespaces
    ]

    trimmed = within_limits(summaries)

    readings = [reading for summary in trimmed for reading in summary.readings]
    assert len(readings) == MAX_POOLS - POOLS_A_NAMESPACE * MAX_NAMESPACES
    assert len(encode(a_snapshot(*readings, namespaces=[one.namespace for one in trimmed]))) <= MAX_BODY_BYTES


def test_time_waits_whose_age_was_read_are_held_only_where_too_young() -> None:
    """Old enough, they do not hold; but the peer may have had no timestamps, and then they do."""
    states = {State.ESTABLISHED: 10, State.TIME_WAIT: 5}

    one = reading(a_pool(), states, Knowledge(settings(tcp_tw_reuse=1), reusable={a_pool(): 3}))

    assert (one.held, one.headroom_min, one.headroom_max, one.recyclable) == (12, 285, 288, 3)
    assert one.states == {State.ESTABLISHED: 10, State.TIME_WAIT: 2}


def test_ports_that_nobody_asked_for_lower_the_least_and_shared_ones_lift_the_most() -> None:
    one = reading(a_pool(), {State.ESTABLISHED: 10}, Knowledge(settings(), frozenset({40_000}), unproven=50, overlap=4))

    assert (one.capacity, one.headroom_min, one.headroom_max) == (299, 239, 293)


def test_only_time_waits_old_enough_are_counted_by_age() -> None:
    ages_ms = (500, 999, 1_000, 30_000)
    made = [a_socket(state=State.TIME_WAIT, expires_ms=60_000 - age_ms) for age_ms in ages_ms]
    counts: Counter[tuple[int, int, bytes]] = Counter()

    count_aged(a_dump(made), counts, 1_000)

    assert counts.total() == 2


def test_pools_of_other_kinds_are_listed_but_not_summed_twice() -> None:
    binder = Reading(Pool("host", Kind.BIND, bytes([10, 0, 0, 1])), 200, 300, 100, 100)

    summary = summarise({a_pool(): {State.ESTABLISHED: 7}}, HERE, Knowledge(settings()), most=10, others=[binder])

    assert [one.pool.kind for one in summary.readings] == [Kind.BIND, Kind.CONNECT]
    assert sum(summary.namespace.totals.values()) == 7
