"""Records of real kernels: the golden files were captured by tests/golden/record_sock_diag.py."""

import json
from pathlib import Path
from socket import ntohs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.records import AF_INET6, Socket, address, rows, sockets
from shared.addresses import format_ip
from shared.tcp import State
from tests.kernel_bytes import a_dump, a_socket

GOLDEN = Path(__file__).parents[3] / "golden" / "sock_diag"
CAPTURES = sorted(GOLDEN.glob("*.bin"))


def test_there_are_captures_to_read() -> None:
    assert CAPTURES


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_captured_bytes_are_the_sockets_that_were_there(capture: Path) -> None:
    expected = json.loads(capture.with_suffix(".json").read_text())

    read = [
        {
            "state": State(one.state).name,
            "local": f"{format_ip(one.local)} {one.local_port}",
            "peer": f"{format_ip(one.peer)} {one.peer_port}",
        }
        for one in sockets(memoryview(capture.read_bytes()))
    ]

    assert sorted(read, key=str) == sorted(expected["sockets"], key=str)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_rows_tell_the_same_of_each_socket(capture: Path) -> None:
    read = memoryview(capture.read_bytes())

    told = [
        (
            family,
            state,
            ntohs(port),
            int.from_bytes(key[:2], "big"),
            address(family, key[2:18]),
            address(family, key[18:]),
            ifindex,
            expires_ms,
        )
        for family, state, port, key, ifindex, expires_ms in rows(read)
    ]

    assert told == [
        (one.family, one.state, one.local_port, one.peer_port, one.local, one.peer, one.ifindex, one.expires_ms)
        for one in sockets(read)
    ]


def test_attributes_of_a_real_socket_are_read() -> None:
    (capture,) = [path for path in CAPTURES if path.stem == "every_state"]

    live = [one for one in sockets(memoryview(capture.read_bytes())) if one.state == State.ESTABLISHED]

    assert live
    assert all(one.cgroup_id is not None and one.sockopt is not None and one.cookie for one in live)
    assert {bool((one.sockopt or 0) & 0x100) for one in live} == {True, False}  # one set IP_BIND_ADDRESS_NO_PORT


@given(
    st.lists(
        st.builds(
            a_socket,
            local_port=st.integers(1, 65_535),
            peer_port=st.integers(1, 65_535),
            local=st.binary(min_size=4, max_size=4),
            peer=st.binary(min_size=4, max_size=4),
            state=st.sampled_from([State.ESTABLISHED, State.TIME_WAIT, State.CLOSE_WAIT]),
            mapped=st.booleans(),
            ifindex=st.integers(0, 2**32 - 1),
            cookie=st.integers(0, 2**64 - 1),
            expires_ms=st.integers(0, 2**32 - 1),
        ),
        max_size=40,
    )
)
def test_every_field_survives_the_way_through_bytes(made: list[Socket]) -> None:
    assert list(sockets(a_dump(made))) == made


def test_a_v4_mapped_address_is_read_as_ipv4() -> None:
    (read,) = sockets(a_dump([a_socket(mapped=True)]))

    assert read.family == AF_INET6
    assert (read.local, read.peer) == (bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
