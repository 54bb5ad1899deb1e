"""The helper that other tests stand on: a namespace is really separate, and really gone."""

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.netns import Netns, fresh_netns

THREAD_NETNS = Path("/proc/thread-self/ns/net")


def test_what_runs_inside_is_in_another_namespace_than_the_test(netns: Netns) -> None:
    inside = netns.run(THREAD_NETNS.readlink)

    assert inside != THREAD_NETNS.readlink()
    assert netns.check_output(["readlink", "/proc/self/ns/net"]).strip() == str(inside)


def test_lo_is_up_so_that_loopback_connections_work(netns: Netns) -> None:
    with netns.run(socket.create_server, ("127.0.0.1", 9000)), netns.run(socket.create_connection, ("127.0.0.1", 9000)):
        pass


def test_a_sysctl_is_set_inside_only(netns: Netns) -> None:
    sysctl = Path("/proc/sys/net/ipv4/ip_local_port_range")
    outside = sysctl.read_text()

    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")

    assert netns.run(sysctl.read_text).split() == ["40000", "40299"]
    assert sysctl.read_text() == outside


def test_a_cable_carries_connections_between_two_namespaces(new_netns: Callable[[], Netns]) -> None:
    one, two = new_netns(), new_netns()

    one.join(two, "10.99.0.1/24", "10.99.0.2/24")

    with (
        two.run(socket.create_server, ("10.99.0.2", 9000)) as server,
        one.run(socket.create_connection, ("10.99.0.2", 9000)) as client,
    ):
        accepted, address = server.accept()
        with accepted:
            assert address == client.getsockname()


def test_processes_end_with_their_namespace_and_leave_nothing(netns: Netns) -> None:
    """`netns` only makes sure that namespaces can be had here."""
    del netns
    with fresh_netns() as own:
        sleeper = own.popen(["sleep", "60"])
        inode = own.run(THREAD_NETNS.stat).st_ino

    assert sleeper.returncode == -signal.SIGTERM
    assert inode not in {int(line.split()[0]) for line in _namespaces_of_processes()}


def _namespaces_of_processes() -> list[str]:
    listed = subprocess.check_output(["lsns", "--type", "net", "--noheadings", "--output", "NS"], text=True)
    return listed.splitlines()
