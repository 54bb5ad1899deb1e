"""What the agent asks the kernel for is understood by its own reader, socket by socket."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.bytecode import AF_INET, AF_INET6, wanted
from agent.netlink.request import both_families, local_port_in, one_family, remote_port_in, without
from shared.ports import PortRange
from shared.tcp import State, state_mask

ESTABLISHED = state_mask(State.ESTABLISHED)
PORTS = st.integers(1, 65_535)
WHOLE = PortRange(40_000, 40_020)


def test_both_kinds_of_request_are_read() -> None:
    both, one = wanted(both_families(ESTABLISHED)), wanted(one_family(AF_INET6, socket.IPPROTO_UDP, ESTABLISHED))

    assert (both.families, both.protocol, both.states) == ((AF_INET, AF_INET6), socket.IPPROTO_TCP, ESTABLISHED)
    assert (one.families, one.protocol, one.states) == ((AF_INET6,), socket.IPPROTO_UDP, ESTABLISHED)


@given(st.sets(st.sampled_from(WHOLE.ports), max_size=20), st.integers(39_998, 40_022))
def test_a_port_passes_that_lies_in_one_of_the_ranges(taken_out: set[int], port: int) -> None:
    asked = wanted(both_families(ESTABLISHED, local_port_in(without(WHOLE, taken_out))))

    assert asked.accepts(State.ESTABLISHED, port, 80) == (port in WHOLE and port not in taken_out)


@given(PORTS, PORTS)
def test_a_destination_is_asked_for_by_its_port(port: int, asked_for: int) -> None:
    asked = wanted(both_families(ESTABLISHED, remote_port_in([asked_for], local_port_in([PortRange(40_000, 40_299)]))))

    assert asked.accepts(State.ESTABLISHED, 40_005, port) == (port == asked_for)
    assert not asked.accepts(State.ESTABLISHED, 50_000, asked_for)


@pytest.mark.parametrize("state", State)
def test_states_are_asked_for_by_their_bit(state: State) -> None:
    assert wanted(both_families(ESTABLISHED)).accepts(state, 1, 1) == (state is State.ESTABLISHED)


def test_nothing_passes_for_bound_by_number_because_no_text_tells() -> None:
    explicit = local_port_in([PortRange(40_000, 40_299)], explicit_only=True)

    assert not wanted(both_families(ESTABLISHED, explicit)).accepts(State.ESTABLISHED, 40_005, 80)
