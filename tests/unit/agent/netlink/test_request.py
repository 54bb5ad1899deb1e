"""Requests: the bytecode means what its name says, and the kernel's audit would pass it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.request import (
    both_families,
    connected,
    local_port_in,
    one_family,
    remote_port_in,
    tcp_families,
    without,
)
from shared.ports import PortRange
from shared.tcp import ALL_STATES

PORTS = st.integers(1, 65_535)
JMP, S_GE, S_LE, D_GE, D_LE, AUTO = 1, 2, 3, 4, 5, 6


@st.composite
def port_ranges(draw: st.DrawFn) -> list[PortRange]:
    cuts = sorted(draw(st.sets(PORTS, min_size=2, max_size=12)))
    return [PortRange(low, high) for low, high in zip(cuts[::2], cuts[1::2], strict=False)]


def accepts(code: bytes, *, sport: int, dport: int = 0, auto: bool = True) -> bool:
    """inet_diag_bc_run: jump by `yes` or `no` until the end (accepted) or 4 past it (rejected)."""
    at = 0
    while at < len(code):
        op, yes, no = struct.unpack_from("=BBH", code, at)
        operand = struct.unpack_from("=BBH", code, at + 4)[2] if op in (S_GE, S_LE, D_GE, D_LE) else 0
        holds = {
            JMP: False,
            S_GE: sport >= operand,
            S_LE: sport <= operand,
            D_GE: dport >= operand,
            D_LE: dport <= operand,
            AUTO: auto,
        }[op]
        at += yes if holds else no
    assert at in (len(code), len(code) + 4)
    return at == len(code)


def passes_audit(code: bytes) -> bool:
    """inet_diag_bc_audit: the walk along `yes` ends exactly at the end, and each `no` lands on that walk or outside."""
    walk, at = set(), 0
    while at < len(code):
        walk.add(at)
        at += code[at + 1]
    targets = [start + struct.unpack_from("=BBH", code, start)[2] for start in walk]
    return at == len(code) and all(target in walk or target in (len(code), len(code) + 4) for target in targets)


@given(port_ranges(), PORTS, st.booleans(), st.booleans())
def test_a_filter_takes_exactly_the_ports_of_its_ranges(
    ranges: list[PortRange], port: int, explicit_only: bool, auto: bool
) -> None:
    code = local_port_in(ranges, explicit_only=explicit_only)

    wanted = any(port in one for one in ranges) and not (explicit_only and auto)
    assert passes_audit(code)
    assert accepts(code, sport=port, auto=auto) is wanted


@given(st.sets(PORTS, min_size=1, max_size=20), PORTS, port_ranges(), PORTS)
def test_a_filter_by_remote_ports_takes_them_alone_and_combines_with_one_by_local_ports(
    ports: set[int], other: int, ranges: list[PortRange], local: int
) -> None:
    code = remote_port_in(ports, local_port_in(ranges))

    assert passes_audit(code)
    for remote in (*ports, other):
        assert accepts(code, sport=local, dport=remote) is (remote in ports and any(local in one for one in ranges))


@pytest.mark.parametrize("size", [4, 16])
def test_a_filter_by_both_ends_passes_the_audit_and_names_them(size: int) -> None:
    local, peer = bytes(range(size)), bytes(range(100, 100 + size))
    in_range = local_port_in([PortRange(40_000, 40_199)])

    code = connected(local, peer, 8_080, in_range)

    assert passes_audit(code)
    assert code.endswith(in_range)
    assert local in code
    assert struct.pack("=i", 8_080) + peer in code


@given(st.sets(st.integers(40_000, 40_030)))
def test_taking_ports_out_of_a_range_leaves_all_others(ports: set[int]) -> None:
    left = without(PortRange(40_000, 40_020), ports)

    assert [port for one in left for port in one.ports] == [port for port in range(40_000, 40_021) if port not in ports]


def test_one_legacy_request_covers_both_families() -> None:
    request = both_families(ALL_STATES)

    length, kind, flags = struct.unpack_from("=IHH", request)
    assert (length, kind, flags) == (len(request), 18, 0x301)
    assert request[16] == 0  # AF_UNSPEC
    assert struct.unpack_from("=II", request, 16 + 52) == (ALL_STATES, 0)


def test_a_modern_request_names_family_and_protocol() -> None:
    request = one_family(2, 17, 0x80, b"\1\4\4\0")

    assert struct.unpack_from("=IHH", request) == (len(request), 20, 0x301)
    assert request[16:18] == bytes([2, 17])
    assert request.endswith(struct.pack("=HH", 8, 1) + b"\1\4\4\0")


def test_the_modern_form_asks_once_a_family() -> None:
    assert [request[16] for request in tcp_families(2)] == [2, 10]
