"""Without netlink the agent goes on counting, and says what it lacks."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.netlink.errors import DumpRefused
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, one_family
from agent.netlink.sock_diag import SockDiag
from agent.netlink.sockets_text import SocketsText
from shared.tcp import ALL_STATES, State, state_mask
from tests.netns import Netns
from tests.sockets import connect, listen

WITHOUT = [sys.executable, "-m", "tests.without_netlink", sys.executable, "-m", "agent"]
REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def host(netns: Netns, keep: list[socket.socket]) -> Netns:
    """300 ports; 200 held towards one backend, 20 of them in TIME_WAIT, 5 towards another over IPv6."""
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    netns.set_sysctl("ipv4/tcp_tw_reuse", "0")
    for client, accepted in netns.run(connect, keep, netns.run(listen, keep, 9001), 200)[:20]:
        client.close()
        accepted.close()
    netns.run(connect, keep, netns.run(listen, keep, 9002, "::1"), 5)
    return netns


def told(host: Netns, *argv: str) -> Any:
    return json.loads(host.check_output([*WITHOUT, *argv], cwd=REPOSITORY))


def tuples(diag: SockDiag, request: bytes) -> set[tuple[int, bytes, int, bytes, int]]:
    found: list[Socket] = [one for buffer in diag.dump(request) for one in sockets(buffer)]
    return {(one.state, one.local, one.local_port, one.peer, one.peer_port) for one in found}


@pytest.mark.parametrize("request_", [both_families(ALL_STATES), one_family(2, 17, ALL_STATES)])
def test_the_text_lists_what_netlink_lists(host: Netns, keep: list[socket.socket], request_: bytes) -> None:
    def talk() -> None:
        keep.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        keep[-1].connect(("127.0.0.1", 53))

    host.run(talk)
    text = SocketsText(DumpRefused(1))

    with host.run(SockDiag) as diag:
        assert host.run(tuples, text, request_) == host.run(tuples, diag, request_) != set()


def test_pools_counts_the_same_and_says_what_it_lacks(host: Netns) -> None:
    report = told(host, "pools", "--netns", "own", "--json")

    first, second = report["pools"]
    assert (first["held"], first["states"]) == (200, {"ESTABLISHED": 180, "TIME_WAIT": 20})
    assert (second["local_ip"], second["held"]) == ("::1", 5)
    assert "counted from /proc/net/tcp, because the kernel refused" in report["notes"][0]


def test_check_says_it_on_a_line_of_its_own(host: Netns) -> None:
    report = host.check_output(["sh", "-c", f"{' '.join(WITHOUT)} check --netns own; true"], cwd=REPOSITORY)

    assert report.startswith("OK - 127.0.0.1 -> 127.0.0.1:9001 holds 200 of 300 ports")
    assert report.splitlines()[-1].startswith("note: counted from /proc/net/tcp")


def test_explain_finds_hidden_binders_by_probing_all_the_same(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9003), 15, local="127.0.0.1")

    report = told(host, "explain", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001", "--json")

    assert report["headroom_min"] <= 85 <= report["headroom_max"]
    assert "/proc/net/tcp" in report["note"]


def test_doctor_says_how_to_allow_it(host: Netns) -> None:
    command = ["sh", "-c", f"{' '.join(WITHOUT)} doctor --json; true"]

    report = json.loads(host.check_output(command, cwd=REPOSITORY))

    (found,) = [one for one in report["findings"] if one["topic"] == "sockets"]
    assert found["verdict"] == "hidden"
    assert "RestrictAddressFamilies=AF_NETLINK" in found["grants"][0]


def test_listeners_are_asked_for_by_state(host: Netns) -> None:
    text = SocketsText(DumpRefused(1))

    found = host.run(tuples, text, both_families(state_mask(State.LISTEN)))

    assert {port for _state, _local, port, _peer, _peer_port in found} == {9001, 9002}
