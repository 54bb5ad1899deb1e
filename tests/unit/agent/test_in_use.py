"""Ports in use, on the running kernel."""

import socket

from agent.in_use import ports_in_use
from agent.netlink.sock_diag import SockDiag
from shared.ports import PortRange
from tests.netns import Netns
from tests.sockets import connect, listen

RANGE = PortRange(40_000, 40_099)


def told() -> dict[int, str]:
    with SockDiag() as diag:
        return ports_in_use(diag, RANGE)


def open_some(keep: list[socket.socket]) -> None:
    """Numbers of the range that are named come first: the kernel would give one of them away, now and then."""
    far, wanted = listen(keep, 9_001), listen(keep, 40_007)
    connect(keep, far, 1, local="127.0.0.1", local_port=40_008)
    connect(keep, wanted, 1, local="127.0.0.1", local_port=30_001)
    connect(keep, far, 5)
    for kind, port in ((socket.SOCK_STREAM, 50_001), (socket.SOCK_DGRAM, 5_353), (socket.SOCK_STREAM, 0)):
        keep.append(socket.socket(socket.AF_INET, kind))
        keep[-1].bind(("127.0.0.1", port))
    keep.append(socket.socket())
    keep[-1].listen()  # On a port of the range that the kernel chose.


def test_ports_that_somebody_wanted_are_in_use_and_those_the_kernel_chose_are_not(
    netns: Netns, keep: list[socket.socket]
) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40099")
    netns.run(open_some, keep)

    assert netns.run(told) == {
        9_001: "listening",
        40_007: "listening",
        30_001: "bound, connected",
        40_008: "bound, connected",
        50_001: "bound, idle",
        5_353: "UDP",
    }


def test_a_range_of_all_ports_leaves_none_outside(netns: Netns, keep: list[socket.socket]) -> None:
    netns.run(listen, keep, 9_001)

    def all_told() -> dict[int, str]:
        with SockDiag() as diag:
            return ports_in_use(diag, PortRange(1, 65_535))

    assert netns.run(all_told) == {9_001: "listening"}
