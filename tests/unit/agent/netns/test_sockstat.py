"""The kernel's counters, by namespace."""

import socket
from pathlib import Path

from agent.netns.sockstat import SocketCounts, outside, parse, read
from tests.netns import Netns
from tests.sockets import connect, listen

TEXT = """sockets: used 12
TCP: inuse 3 orphan 9000 tw 40 alloc 20031 mem 412
UDP: inuse 2 mem 0
UDPLITE: inuse 5
RAW: inuse 6
FRAG: inuse 0 memory 0
TCP6: inuse 4
UDP6: inuse 1
"""


def test_both_families_and_time_waits_are_counted_orphans_of_other_namespaces_are_not() -> None:
    assert parse(TEXT) == SocketCounts(tcp=47, udp=3)


def test_what_is_no_sockstat_counts_nothing() -> None:
    assert parse("") is None
    assert read(Path("/nonexistent")) is None


def test_the_running_kernel_counts_by_namespace(netns: Netns, keep: list[socket.socket]) -> None:
    empty = netns.run(read)
    netns.run(connect, keep, netns.run(listen, keep, 9001, "::1"), 5)

    assert empty == SocketCounts(0, 0)
    assert netns.run(read) == SocketCounts(tcp=11, udp=0)


def test_a_socket_of_any_kind_counts_from_when_it_is_made_until_it_connects(
    netns: Netns, keep: list[socket.socket]
) -> None:
    listener = netns.run(listen, keep, 9001)
    before = netns.run(outside)
    netns.run(connect, keep, listener, 3)
    assert netns.run(outside) == before
    netns.run(lambda: keep.extend((socket.socket(), socket.socket(socket.AF_UNIX))))

    assert before is not None
    assert netns.run(outside) == before + 2
    assert outside(Path("/nonexistent")) is None
