"""VRFs are found among the devices, and only they."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.links import vrfs, vrfs_of
from tests.kernel_bytes import done, message
from tests.netns import Netns


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def a_link(index: int, *, kind: str = "", master: int = 0) -> bytes:
    body = struct.pack("=BxHiII", 0, 1, index, 0, 0) + attribute(3, b"name\0")
    if master:
        body += attribute(10, struct.pack("=I", master))
    if kind:
        body += attribute(18 | 0x8000, attribute(1, kind.encode() + b"\0"))
    return message(16, body)


def test_a_vrf_and_its_members_are_told_bridges_are_not() -> None:
    answer = (
        a_link(1)
        + a_link(2, kind="vrf")
        + a_link(3, kind="veth", master=2)
        + a_link(4, kind="bridge")
        + a_link(5, kind="veth", master=4)
        + done()
    )

    assert vrfs_of(answer) == {2: 2, 3: 2}


def test_a_namespace_without_vrfs_has_none(netns: Netns) -> None:
    netns.check_output(["ip", "link", "add", "one", "type", "veth", "peer", "name", "two"])

    assert netns.run(vrfs) == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_fault(answer: bytes) -> None:
    assert isinstance(vrfs_of(answer), dict)
