"""Accounts of bind(ip, 0) and of UDP: one socket on a port takes it, and who meets whom decides."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.accounting.bound import derive, worth_probing
from agent.accounting.connect import Table
from agent.accounting.derivation import Derivation, pool_of
from agent.accounting.question import Protocol, Question
from agent.netlink.records import Socket
from shared.addresses import parse_ip
from shared.model import Kind
from shared.ports import PortRange, PortSettings
from shared.tcp import State
from tests.kernel_bytes import a_socket

L1, L2, PEER = parse_ip("10.0.0.1"), parse_ip("10.0.0.11"), parse_ip("10.0.0.2")
V6A, V6B = parse_ip("fd00::1"), parse_ip("fd00::2")
ANY, ANY6 = bytes(4), bytes(16)

BINDER = Question(local=L1, peer=PEER, peer_port=80, bind_first=True)
UDP = Question(local=L1, peer=PEER, peer_port=53, protocol=Protocol.UDP)
UDP6 = replace(UDP, local=V6A, peer=V6B)


def settings(low: int = 40_000, high: int = 40_199, reserved: Sequence[int] = ()) -> PortSettings:
    return PortSettings(PortRange(low, high), frozenset(reserved))


def on_ports(
    count: int, local: bytes, first: int = 40_000, *, ifindex: int = 0, v6only: bool | None = None
) -> list[Socket]:
    peer = PEER if len(local) == 4 else V6B
    made = [
        a_socket(local=local, peer=peer, local_port=first + n, cookie=first + n, ifindex=ifindex) for n in range(count)
    ]
    return [one._replace(v6only=v6only) for one in made]


def left(question: Question, sockets: Sequence[Socket]) -> tuple[int, int, int]:
    told = derive(question, settings(), Table(sockets=sockets))
    return told.headroom_min, told.headroom, told.headroom_max


# --- bind(ip, 0) -----------------------------------------------------------------------------------------------------


def test_a_binder_competes_with_everybody_on_its_address_wherever_they_go() -> None:
    elsewhere = [one._replace(peer=V6B, peer_port=9) for one in on_ports(30, L1)]

    assert left(BINDER, elsewhere) == (170, 170, 170)


def test_binders_of_two_addresses_share_ports() -> None:
    assert left(BINDER, on_ports(200, L2)) == (200, 200, 200)


@pytest.mark.parametrize(("wildcard", "v6only", "free"), [(ANY, None, 190), (ANY6, False, 190), (ANY6, True, 200)])
def test_wildcard_sockets_take_the_port_on_every_address(wildcard: bytes, v6only: bool | None, free: int) -> None:
    assert left(BINDER, on_ports(10, wildcard, v6only=v6only))[1] == free


def test_several_sockets_on_a_port_take_it_once() -> None:
    assert left(BINDER, on_ports(1, L1) * 5) == (199, 199, 199)


def test_where_idle_binds_are_hidden_every_free_port_is_in_doubt() -> None:
    told = derive(BINDER, settings(), Table(sockets=on_ports(30, L1), complete=False))

    assert (told.headroom_min, told.headroom, told.headroom_max) == (0, 170, 170)


def test_an_open_bucket_or_a_bind_that_succeeds_proves_a_port_free_and_one_that_fails_takes_it() -> None:
    table = Table(sockets=on_ports(30, L1), complete=False, probed=dict.fromkeys(range(40_030, 40_190), True))
    shut = dict.fromkeys(range(40_190, 40_200), False)

    assert worth_probing(BINDER, settings(), replace(table, probed={})) == set(range(40_030, 40_200))
    assert worth_probing(BINDER, settings(), table) == set(shut)
    assert derive(BINDER, settings(), table).headroom_min == 160

    told = derive(BINDER, settings(), replace(table, tried={**shut, 40_190: True, 40_000: False}))

    assert (told.headroom_min, told.headroom, told.headroom_max) == (161, 161, 161)
    assert set(told.blocked) == set(range(40_191, 40_200))


def test_where_all_is_listed_no_port_of_a_binder_is_probed() -> None:
    assert worth_probing(BINDER, settings(), Table(sockets=on_ports(30, L1))) == set()


def test_where_devices_are_not_told_an_asker_with_one_may_not_meet_the_others() -> None:
    table = Table(sockets=on_ports(30, L1), tells_devices=False)

    told, with_device = derive(BINDER, settings(), table), derive(replace(BINDER, ifindex=3), settings(), table)

    assert (told.headroom, told.headroom_max) == (170, 170)
    assert (with_device.headroom, with_device.headroom_max) == (170, 200)


def test_a_binders_pool_has_no_destination() -> None:
    assert str(pool_of(BINDER, "host")) == "10.0.0.1 -> any (bind)"


# --- UDP -------------------------------------------------------------------------------------------------------------


def test_udp_competes_with_every_udp_socket_of_the_namespace() -> None:
    assert left(UDP, [*on_ports(60, L2), *on_ports(10, ANY, 40_100), *on_ports(5, L1, 40_150, ifindex=3)]) == (125,) * 3


def test_a_v6_only_socket_leaves_its_port_to_ipv4() -> None:
    assert left(UDP, on_ports(20, ANY6, v6only=True))[1] == 200
    assert left(UDP, on_ports(20, ANY6, v6only=False))[1] == 180


def test_connected_ipv6_sockets_do_not_tell_whether_they_are_v6_only() -> None:
    assert left(UDP, on_ports(20, V6A)) == (180, 180, 200)


def test_a_dual_stack_asker_competes_with_both_families() -> None:
    assert left(UDP6, [*on_ports(20, L2), *on_ports(20, V6B, 40_100)]) == (160, 160, 160)


def test_udp_that_binds_first_competes_on_its_address_only() -> None:
    first = replace(UDP, bind_first=True)

    assert left(first, on_ports(60, L2))[1] == 200
    assert left(first, on_ports(60, L1))[1] == 140
    assert left(first, on_ports(60, ANY))[1] == 140
    assert left(replace(UDP6, bind_first=True), on_ports(60, L1))[1] == 200
    assert left(replace(UDP6, bind_first=True), on_ports(60, ANY6))[1] == 140


def test_sockets_of_another_device_do_not_meet_a_device_bound_asker() -> None:
    bound = replace(UDP, ifindex=3)

    assert left(bound, on_ports(10, L2, ifindex=4))[1] == 200
    assert left(bound, [*on_ports(10, L2, ifindex=3), *on_ports(5, L2, 40_100)])[1] == 185


def test_an_odd_range_is_no_matter_to_udp_but_to_binders() -> None:
    odd = settings(high=40_200)

    assert derive(UDP, odd, Table(sockets=())).headroom_min == 201
    assert derive(BINDER, odd, Table(sockets=())).headroom_min == 200


def test_reserved_ports_are_lent_to_nobody() -> None:
    told = derive(UDP, settings(reserved=[40_000, 40_001, 50_000]), Table(sockets=on_ports(5, L1)))

    assert (told.capacity, told.held) == (198, 3)


def test_udp_pools_are_one_a_family() -> None:
    assert pool_of(UDP, "host").kind is Kind.UDP
    assert pool_of(UDP, "host") == pool_of(replace(UDP, local=L2, peer_port=99), "host")
    assert pool_of(UDP, "host") != pool_of(UDP6, "host")


# --- any sockets at all ----------------------------------------------------------------------------------------------

ADDRESSES = st.sampled_from([L1, L2, V6A, V6B, ANY, ANY6])
SOCKETS = st.lists(
    st.builds(
        lambda v6only, **rest: a_socket(**rest)._replace(v6only=v6only),
        v6only=st.sampled_from([None, True, False]),
        local=ADDRESSES,
        local_port=st.integers(39_995, 40_035),
        state=st.sampled_from([State.ESTABLISHED, State.CLOSE, State.TIME_WAIT]),
        ifindex=st.sampled_from([0, 3, 4]),
    ),
    max_size=50,
)
QUESTIONS = st.builds(
    replace,
    st.sampled_from([BINDER, UDP, UDP6]),
    ifindex=st.sampled_from([0, 3]),
    bind_first=st.just(value=True),
) | st.sampled_from([UDP, UDP6])


@given(QUESTIONS, SOCKETS, st.integers(40_000, 40_030), st.booleans())
def test_the_sums_add_up_for_any_sockets(question: Question, sockets: list[Socket], high: int, complete: bool) -> None:
    told = derive(question, settings(high=high), Table(sockets=sockets, complete=complete))

    assert told.capacity == told.held + told.headroom
    assert 0 <= told.headroom_min <= told.headroom <= told.headroom_max <= told.capacity


@given(QUESTIONS, SOCKETS, SOCKETS)
def test_more_sockets_never_raise_the_headroom(question: Question, sockets: list[Socket], more: list[Socket]) -> None:
    def account(some: list[Socket]) -> Derivation:
        return derive(question, settings(), Table(sockets=some))

    before, after = account(sockets), account([*sockets, *more])
    assert after.headroom <= before.headroom
    assert after.headroom_min <= before.headroom_min
    assert after.headroom_max <= before.headroom_max
