"""Probing asks the kernel about one port and changes nothing."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.probe import probe, try_to_bind
from tests.netns import Netns
from tests.sockets import connect, listen


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40019")
    return netns


def test_a_free_port_is_open_and_a_bound_one_is_not(host: Netns, keep: list[socket.socket]) -> None:
    host.run(listen, keep, 40_005)

    answers = host.run(probe, range(40_000, 40_020))

    assert [port for port, is_open in answers.items() if not is_open] == [40_005]


def test_what_no_dump_shows_is_told(host: Netns, keep: list[socket.socket]) -> None:
    """bind(ip, 0) before connect() takes the bucket for every destination."""
    ((client, _accepted),) = host.run(connect, keep, host.run(listen, keep, 9001), 1, local="127.0.0.1")

    answers = host.run(probe, range(40_000, 40_020))

    assert [port for port, is_open in answers.items() if not is_open] == [client.getsockname()[1]]


def test_plain_connections_leave_their_ports_open_to_others(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9001), 20)

    assert all(host.run(probe, range(40_000, 40_020)).values())


@pytest.mark.parametrize(("fast_open", "resets"), [("1", 0), ("0", 20)])
def test_a_probe_is_counted_by_the_kernel_only_without_fast_open(host: Netns, fast_open: str, resets: int) -> None:
    def told() -> dict[str, str]:
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
        names, values = (line.split() for line in lines if line.startswith("Tcp:"))
        return dict(zip(names, values, strict=True))

    host.set_sysctl("ipv4/tcp_fastopen", fast_open)
    before = host.run(told)
    assert all(host.run(probe, range(40_000, 40_020)).values())
    after = host.run(told)

    assert {name: int(after[name]) - int(before[name]) for name in after if after[name] != before[name]} == (
        {"EstabResets": resets} if resets else {}
    )


def test_a_probe_leaves_no_socket_and_sends_no_packet(host: Netns) -> None:
    def loopback_packets() -> int:
        (line,) = [one for one in Path("/proc/thread-self/net/dev").read_text().splitlines() if "lo:" in one]
        return int(line.split()[2])

    before = host.run(loopback_packets)
    host.run(probe, range(40_000, 40_020))

    assert host.run(loopback_packets) == before
    assert host.check_output(["ss", "-Htan"]).strip() == ""


ASK = "from agent.probe import probe; print(probe([40_000]))"


def test_without_the_capability_probing_says_what_is_missing(host: Netns) -> None:
    without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    process = host.popen([*without, sys.executable, "-c", ASK], stderr=subprocess.PIPE, text=True)

    assert "probing needs CAP_NET_ADMIN" in process.communicate(timeout=20)[1]


def test_a_namespace_whose_lo_was_never_up_cannot_be_probed(host: Netns) -> None:
    process = host.popen(["unshare", "--net", sys.executable, "-c", ASK], stderr=subprocess.PIPE, text=True)

    assert "probing needs the loopback device up" in process.communicate(timeout=20)[1]


def test_trying_to_bind_tells_who_is_in_the_way_of_an_address(netns: Netns, keep: list[socket.socket]) -> None:
    def bind() -> None:
        for port, address in ((40_001, "127.0.0.1"), (40_002, ""), (40_003, "127.0.0.9")):
            keep.append(socket.socket())
            keep[-1].bind((address, port))

    netns.run(bind)

    told = netns.run(try_to_bind, range(40_000, 40_004), bytes([127, 0, 0, 1]))

    assert told == {40_000: True, 40_001: False, 40_002: False, 40_003: True}


def test_an_address_that_is_not_ours_cannot_be_tried(netns: Netns) -> None:
    assert netns.run(try_to_bind, [40_000], bytes([192, 0, 2, 1])) == {}
