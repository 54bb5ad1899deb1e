"""Accounts of connect pools: the rules of the kernel one by one, and sums that add up for any table."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.accounting.connect import BIND_ADDRESS_NO_PORT, Table, derive, taker_of, worth_probing
from agent.accounting.derivation import BOUND_CONNECTED, BOUND_IDLE, LISTENING, PROBED, Derivation
from agent.accounting.question import Question
from agent.netlink.records import Socket
from shared.ports import PortRange, PortSettings
from shared.tcp import State
from tests.kernel_bytes import a_socket

LOCAL, PEER, OTHER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes([10, 0, 0, 3])
ASKED = Question(local=LOCAL, peer=PEER, peer_port=80)
PLAIN = 0x52
"""SOCKOPT of a socket without special options, as kernels send it."""


def settings(low: int = 40_000, high: int = 40_199, reserved: Sequence[int] = (), **integers: int) -> PortSettings:
    return PortSettings(PortRange(low, high), frozenset(reserved), {"tcp_timestamps": 1} | integers)


def in_pool(count: int, first: int = 40_000, state: State = State.ESTABLISHED, age_ms: int = 0) -> list[Socket]:
    return [
        a_socket(local=LOCAL, peer=PEER, local_port=port, state=state, expires_ms=60_000 - age_ms, cookie=port)
        for port in range(first, first + count)
    ]


def elsewhere(count: int, first: int = 40_100, sockopt: int = PLAIN, state: State = State.ESTABLISHED) -> list[Socket]:
    return [
        a_socket(local=LOCAL, peer=OTHER, local_port=port, sockopt=sockopt, state=state, cookie=port)
        for port in range(first, first + count)
    ]


def account(
    sockets: Sequence[Socket] = (),
    question: Question = ASKED,
    of: PortSettings | None = None,
    **known: object,
) -> Derivation:
    table = Table(sockets=sockets, frees_ports_on_release=True, poisons_for_life=False)
    return derive(question, of or settings(), replace(table, **known))  # type: ignore[arg-type] # fields of Table


def bounds(derivation: Derivation) -> tuple[int, int, int]:
    return derivation.headroom_min, derivation.headroom, derivation.headroom_max


def test_an_unused_range_lends_every_port_of_both_ends() -> None:
    assert bounds(account()) == (200, 200, 200)


@pytest.mark.parametrize("state", [s for s in State if s not in (State.LISTEN, State.CLOSE, State.BOUND_INACTIVE)])
def test_a_socket_of_the_tuple_holds_its_port_in_any_state(state: State) -> None:
    told = account(in_pool(30, state=state), of=settings(tcp_tw_reuse=0))

    assert bounds(told) == (170, 170, 170)
    assert told.states == {state: 30}


def test_reserved_ports_inside_the_range_are_not_lent() -> None:
    told = account(of=settings(reserved=[39_999, 40_000, 40_001, 50_000]))

    assert (len(told.reserved), told.capacity, told.headroom) == (2, 198, 198)


def test_a_listener_costs_its_port_once_for_every_destination() -> None:
    group = [a_socket(local=bytes(4), peer=bytes(4), peer_port=0, local_port=40_010, state=State.LISTEN)] * 4

    told = account(group)

    assert told.blocked == {40_010: LISTENING}
    assert told.headroom == 199


def test_idle_and_explicit_binders_block_their_ports() -> None:
    idle = [a_socket(local=bytes([127, 0, 0, 9]), peer=bytes(4), peer_port=0, local_port=40_010, state=State.CLOSE)]

    told = account(idle, explicit=frozenset({40_011, 50_000}), frees_ports_on_release=False)

    assert told.blocked == {40_010: BOUND_IDLE, 40_011: BOUND_CONNECTED}
    assert bounds(told) == (198, 198, 198)


def test_a_port_that_is_held_and_blocked_is_counted_once() -> None:
    told = account(in_pool(30), explicit=frozenset(range(40_000, 40_030)), frees_ports_on_release=False)

    assert (told.capacity, told.held, told.headroom) == (170, 0, 170)


def test_sockets_elsewhere_may_hide_a_binder_until_probed() -> None:
    assert bounds(account(elsewhere(30))) == (170, 200, 200)


def test_a_probe_decides_what_is_hidden() -> None:
    ports = range(40_100, 40_130)

    told_open = account(elsewhere(30), probed=dict.fromkeys(ports, True))
    told_shut = account(elsewhere(30), probed=dict.fromkeys(ports, False))

    assert bounds(told_open) == (200, 200, 200)
    assert bounds(told_shut) == (170, 170, 170)
    assert set(told_shut.blocked.values()) == {PROBED}


def test_a_probe_outweighs_what_a_dump_seems_to_say() -> None:
    """6.18 may release the port of a connected explicit binder."""
    told = account(explicit=frozenset({40_010}), probed={40_010: True})

    assert bounds(told) == (200, 200, 200)


def test_an_explicit_binder_that_the_newest_kernel_may_have_released_is_a_hope() -> None:
    assert bounds(account(explicit=frozenset({40_010}))) == (199, 199, 200)


def test_a_binder_whose_own_tuple_is_the_pools_holds_its_port_released_or_not() -> None:
    assert bounds(account(in_pool(20), explicit=frozenset(range(40_000, 40_020)))) == (180, 180, 180)


def test_a_tuple_told_twice_counts_once_and_as_held() -> None:
    old = in_pool(1, state=State.TIME_WAIT, age_ms=30_000)

    told = account([*in_pool(1), *old], of=settings(tcp_tw_reuse=1))

    assert (bounds(told), told.states) == ((199, 199, 199), {State.ESTABLISHED: 1})


def test_sockets_of_the_pool_that_were_read_apart_count_like_others() -> None:
    apart = {
        taker_of(State.ESTABLISHED, 0, 7): {40_000, 40_001},
        taker_of(State.TIME_WAIT, 0, 50_000): {40_002, 41_000},
    }

    told = account(own=apart)

    assert told.states == {State.ESTABLISHED: 2, State.TIME_WAIT: 1}
    assert told.headroom == 197


def test_bind_address_no_port_proves_the_bucket_open_where_ports_are_released() -> None:
    flagged = elsewhere(30, sockopt=PLAIN | BIND_ADDRESS_NO_PORT)

    assert bounds(account(flagged)) == (200, 200, 200)
    assert bounds(account(flagged, poisons_for_life=True)) == (170, 200, 200)


def test_where_idle_binds_are_in_no_dump_every_free_port_is_in_doubt() -> None:
    assert bounds(account(in_pool(30), complete=False)) == (0, 170, 170)


def test_where_only_one_pool_was_read_no_more_ports_hide_than_there_are_other_sockets() -> None:
    assert bounds(account(in_pool(30), unread=20)) == (150, 170, 170)
    assert bounds(account(in_pool(30), unread=5_000)) == (0, 170, 170)
    assert bounds(account(in_pool(30), unread=20, probed=dict.fromkeys(range(40_000, 40_195), True))) == (165, 170, 170)


def test_the_doubt_about_timestamps_stands_beside_a_bounded_doubt_about_binders() -> None:
    waiting = in_pool(40, state=State.TIME_WAIT, age_ms=1_500)

    assert bounds(account(waiting, of=settings(tcp_tw_reuse=1), unread=3))[0] == 200 - 40 - 3


def test_ports_of_binders_whose_sockets_were_not_read_are_blocked() -> None:
    assert bounds(account(in_pool(30), bound=frozenset({40_100, 50_000}))) == (169, 169, 169)


def test_a_time_wait_old_enough_is_not_held_but_the_peer_may_have_had_no_timestamps() -> None:
    told = account(
        in_pool(40, state=State.TIME_WAIT, age_ms=1_500), of=settings(tcp_tw_reuse=1, tcp_tw_reuse_delay=1000)
    )

    assert bounds(told) == (160, 200, 200)
    assert (told.held, told.time_wait_reusable) == (0, 40)


@pytest.mark.parametrize(
    ("mode", "delay", "age_ms", "expected"),
    [
        (0, 1000, 30_000, (160, 160, 160)),
        (1, 30_000, 1_000, (160, 160, 160)),
        (1, 1000, 995, (160, 160, 200)),
        (1, 1000, 1_005, (160, 160, 200)),
        (2, 1000, 30_000, (160, 160, 160)),
        (1, None, 500, (160, 160, 200)),
        (1, None, 1_500, (160, 200, 200)),
    ],
)
def test_a_time_wait_is_recycled_by_mode_age_and_delay(
    mode: int, delay: int | None, age_ms: int, expected: tuple[int, int, int]
) -> None:
    """Within a timer's slack of the delay the age decides nothing; old kernels compare whole seconds."""
    of = settings(tcp_tw_reuse=mode) if delay is None else settings(tcp_tw_reuse=mode, tcp_tw_reuse_delay=delay)

    told = account(in_pool(40, state=State.TIME_WAIT, age_ms=age_ms), of=of)

    assert bounds(told) == expected


def test_timestamps_switched_off_may_still_have_been_on_when_a_time_wait_began() -> None:
    old = in_pool(40, state=State.TIME_WAIT, age_ms=30_000)

    assert bounds(account(old, of=settings(tcp_tw_reuse=1, tcp_timestamps=0))) == (160, 160, 200)


def test_a_device_bound_socket_takes_its_tuple_from_its_own_device_only() -> None:
    bound = [one._replace(ifindex=3) for one in in_pool(40)]

    assert account(bound).held == 0
    assert account(bound, replace(ASKED, ifindex=3)).held == 40
    assert account(in_pool(40), replace(ASKED, ifindex=3)).held == 40


def test_where_devices_are_not_told_whoever_holds_a_port_may_not_be_in_the_way() -> None:
    assert bounds(account(in_pool(40), tells_devices=False)) == (160, 160, 200)


def test_within_a_vrf_its_own_sockets_take_the_tuple_too() -> None:
    """`ip vrf exec` binds to the VRF; another application of it may bind to one of its devices."""
    of_the_vrf = [one._replace(ifindex=7) for one in in_pool(40)]

    assert account(of_the_vrf, replace(ASKED, ifindex=3, vrf=7)).held == 40


def test_an_odd_range_may_leave_out_one_end() -> None:
    odd = settings(high=40_200)

    assert bounds(account(of=odd)) == (200, 201, 201)
    assert bounds(account(in_pool(201), of=odd)) == (0, 0, 0)
    assert bounds(account([*in_pool(1), *in_pool(1, first=40_200)], of=odd)) == (199, 199, 199)
    assert bounds(account(of=settings(high=40_000))) == (1, 1, 1)


def test_an_applications_own_range_narrows_the_pool_and_is_scanned_whole_by_newer_kernels() -> None:
    own = replace(ASKED, own_range=PortRange(40_050, 40_100))

    assert bounds(account(in_pool(20, first=40_050), own, scans_own_range_whole=True)) == (31, 31, 31)
    assert bounds(account(in_pool(20, first=40_050), own)) == (30, 31, 31)


def test_the_knee_is_passed_when_no_even_offset_is_free() -> None:
    even = [socket for socket in in_pool(200) if socket.local_port % 2 == 0]

    assert account(even).free_even_offset == 0
    assert account(even[1:]).free_even_offset == 1


def test_only_ports_that_could_change_the_account_are_worth_a_probe() -> None:
    table = Table(sockets=[*in_pool(10), *elsewhere(10), *elsewhere(5, first=41_000)], explicit=frozenset({40_150}))

    assert worth_probing(ASKED, settings(), table) == set(range(40_100, 40_110)) | {40_150}


# --- any table at all ------------------------------------------------------------------------------------------------

SOCKETS = st.lists(
    st.builds(
        a_socket,
        local=st.sampled_from([LOCAL, OTHER]),
        peer=st.sampled_from([PEER, OTHER]),
        local_port=st.integers(39_995, 40_035),
        peer_port=st.sampled_from([80, 81]),
        state=st.sampled_from(State),
        mapped=st.booleans(),
        ifindex=st.sampled_from([0, 3]),
        expires_ms=st.integers(0, 60_000),
        sockopt=st.sampled_from([None, PLAIN, PLAIN | BIND_ADDRESS_NO_PORT]),
    ),
    max_size=60,
)
SETTINGS = st.builds(
    settings,
    low=st.just(40_000),
    high=st.integers(40_000, 40_030),
    reserved=st.lists(st.integers(39_990, 40_035), max_size=5),
    tcp_tw_reuse=st.sampled_from([0, 1, 2]),
    tcp_tw_reuse_delay=st.sampled_from([1, 1000, 30_000]),
)
PROBES = st.dictionaries(st.integers(40_000, 40_030), st.booleans(), max_size=10)
EXPLICIT = st.frozensets(st.integers(39_995, 40_035), max_size=5)
QUESTIONS = st.builds(
    Question,
    local=st.just(LOCAL),
    peer=st.just(PEER),
    peer_port=st.just(80),
    ifindex=st.sampled_from([0, 3]),
    own_range=st.none() | st.just(PortRange(40_005, 40_015)),
)
TAKERS = st.builds(
    taker_of,
    st.sampled_from([State.ESTABLISHED, State.TIME_WAIT, State.CLOSE_WAIT]),
    st.sampled_from([0, 3]),
    st.integers(0, 60_000),
)
TABLES = st.builds(
    Table,
    sockets=SOCKETS,
    own=st.dictionaries(TAKERS, EXPLICIT, max_size=4),
    tells_devices=st.booleans(),
    explicit=EXPLICIT,
    bound=EXPLICIT,
    unread=st.sampled_from([0, 3, 100]),
    probed=PROBES,
    complete=st.booleans(),
    frees_ports_on_release=st.booleans(),
    poisons_for_life=st.booleans(),
    scans_own_range_whole=st.booleans(),
)


def test_a_port_at_the_end_of_an_odd_range_is_doubted_once() -> None:
    """A connection elsewhere may have bound the first one; the last one is blocked."""
    listener = a_socket(local=bytes(4), peer=bytes(4), peer_port=0, local_port=40_200, state=State.LISTEN)
    odd = settings(high=40_200, tcp_tw_reuse=1)

    assert bounds(account([*elsewhere(1, first=40_000), listener], of=odd)) == (199, 200, 200)
    recyclable = in_pool(1, state=State.TIME_WAIT, age_ms=5_000)
    assert bounds(account([*recyclable, listener], of=odd)) == (199, 200, 200)


@given(QUESTIONS, SETTINGS, TABLES)
def test_the_sums_add_up_for_any_table(question: Question, of: PortSettings, table: Table) -> None:
    told = derive(question, of, table)

    assert len(told.port_range) == len(told.reserved) + len(told.blocked) + told.capacity
    assert told.capacity == told.held + told.headroom
    assert 0 <= told.headroom_min <= told.headroom <= told.headroom_max <= told.capacity + len(told.blocked)
    assert not told.reserved & told.blocked.keys()


@given(QUESTIONS, SETTINGS, TABLES, SOCKETS)
def test_more_sockets_never_raise_the_headroom(
    question: Question, of: PortSettings, table: Table, more: list[Socket]
) -> None:
    """Unless the new one takes a tuple over from a socket in another state: then one of the two is stale."""
    known = {(one.local_port, one.local, one.peer, one.peer_port) for one in table.sockets}
    new = [one for one in more if (one.local_port, one.local, one.peer, one.peer_port) not in known]

    before = derive(question, of, table)
    after = derive(question, of, replace(table, sockets=[*table.sockets, *new]))

    assert after.headroom <= before.headroom
    assert after.headroom_min <= before.headroom_min


@given(QUESTIONS, SETTINGS, TABLES)
def test_folding_v4_mapped_sockets_changes_nothing(question: Question, of: PortSettings, table: Table) -> None:
    unmapped = replace(table, sockets=[one._replace(family=2) for one in table.sockets])

    assert derive(question, of, table) == derive(question, of, unmapped)


@given(QUESTIONS, SETTINGS, TABLES)
def test_probing_what_is_worth_it_leaves_no_hidden_port(question: Question, of: PortSettings, table: Table) -> None:
    probed = {**table.probed, **dict.fromkeys(worth_probing(question, of, table), True)}

    told = derive(question, of, replace(table, probed=probed))

    assert not any("probed" in doubt.why for doubt in told.doubts)
    assert not any("released" in hope.why for hope in told.hopes)
