"""Exact accounts of the running kernel."""

import json
import socket
import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest

from agent import exact
from agent.accounting.connect import HIDDEN
from agent.accounting.derivation import Derivation
from agent.accounting.question import Question
from agent.binders import read_sockets
from agent.exact import Accountant
from agent.netlink.records import Socket
from agent.netlink.sock_diag import SockDiag
from agent.sysctl import read_port_settings
from agent.traits import Traits
from shared.tcp import State
from tests.netns import Netns
from tests.sockets import connect, listen

LOOP = bytes([127, 0, 0, 1])


def crowded() -> bool:
    with SockDiag() as diag:
        return exact.is_crowded(diag, Question(local=LOOP, peer=LOOP, peer_port=9001), read_port_settings())


def bind_and_idle(keep: list[socket.socket], port: int, address: str = "127.0.0.1") -> None:
    keep.append(socket.socket())
    keep[-1].bind((address, port))


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40999")
    return netns


def account(peer_port: int, *, probing: bool = True) -> tuple[Derivation, str]:
    with SockDiag() as diag:
        accountant = Accountant(diag, probing=probing)
        return accountant.account(Question(local=LOOP, peer=LOOP, peer_port=peer_port)), accountant.unavailable


def test_hidden_binders_are_found_by_probing(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 30, local="127.0.0.1")

    told, note = host.run(account, 9001)

    assert (told.headroom_min, told.headroom, told.headroom_max, note) == (970, 970, 970, "")
    assert told.probed == 30


def test_without_probing_the_bounds_contain_the_truth(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 30, local="127.0.0.1")

    told, _note = host.run(account, 9001, probing=False)

    assert told.headroom_min <= 970 <= told.headroom_max
    assert told.probed == 0


def test_of_a_crowded_namespace_only_the_pools_own_sockets_are_read_and_the_answer_is_the_same(
    host: Netns, keep: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.run(bind_and_idle, keep, 40_500)
    host.run(connect, keep, host.run(listen, keep, 9001), 200)
    host.run(connect, keep, host.run(listen, keep, 9002), 100, local="127.0.0.1")
    read_all = host.run(account, 9001)

    monkeypatch.setattr(exact, "is_crowded", lambda *_: True)
    read_own = host.run(account, 9001)

    assert (read_all[0].headroom, read_all[0].headroom_min, read_all[0].headroom_max) == (699, 699, 699)
    assert read_own[0] == replace(read_all[0], probed=800)


def test_more_sockets_than_ports_make_a_namespace_crowded(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40009")
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 4)
    assert not host.run(crowded)

    host.run(connect, keep, server, 4)

    assert host.run(crowded)


def test_a_crowded_namespace_without_probes_is_read_whole(
    host: Netns, keep: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "is_crowded", lambda *_: True)
    host.run(connect, keep, host.run(listen, keep, 9002), 30, local="127.0.0.1")

    told, _note = host.run(account, 9001, probing=False)

    assert (told.headroom_min, told.headroom_max) == (970, 1000)


@pytest.fixture
def no_idle_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on kernels before 6.8, which list no socket that is bound and not connected."""

    def listed(diag: SockDiag, requests: Iterable[bytes]) -> list[Socket]:
        return [one for one in read_sockets(diag, requests) if one.state != State.CLOSE]

    monkeypatch.setattr(exact, "read_sockets", listed)
    monkeypatch.setattr(exact, "try_out", lambda: Traits(shows_idle_binds=False, frees_ports_on_release=False))


def bind_some(keep: list[socket.socket]) -> None:
    """20 ports of ours, 10 of everybody's, 5 of an address of their own, 7 connected by others."""
    server = listen(keep, 9001, "127.0.0.1")
    for first, count, address in ((40_100, 20, "127.0.0.1"), (40_200, 10, ""), (40_300, 5, "127.0.0.9")):
        for port in range(first, first + count):
            bind_and_idle(keep, port, address)
    connect(keep, server, 7, local="127.0.0.8", local_port=0)


def bound_account(*, probing: bool = True) -> Derivation:
    with SockDiag() as diag:
        asked = Question(local=LOOP, peer=LOOP, peer_port=9001, bind_first=True)
        return Accountant(diag, probing=probing).account(asked)


@pytest.mark.usefixtures("no_idle_binds")
def test_where_idle_binds_are_in_no_list_a_binders_ports_are_tried(host: Netns, keep: list[socket.socket]) -> None:
    host.run(bind_some, keep)

    told, untried = host.run(bound_account), host.run(bound_account, probing=False)

    assert (told.headroom_min, told.headroom, told.headroom_max, len(told.blocked)) == (970, 970, 970, 30)
    assert (untried.headroom_min, untried.headroom_max) == (0, 1000)


def test_where_probing_fails_the_account_says_why_and_widens(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 30)
    without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    explain = [sys.executable, "-m", "agent", "explain", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001", "--json"]

    told = json.loads(host.check_output([*without, *explain]))

    assert "CAP_NET_ADMIN" in told["note"]
    assert (told["headroom_min"], told["headroom"], told["headroom_max"]) == (970, 1000, 1000)
    assert told["doubts"] == [{"ports": 30, "why": HIDDEN}]
