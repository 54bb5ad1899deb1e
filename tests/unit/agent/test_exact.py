"""Exact accounts of the running kernel."""

import json
import socket
import sys

import pytest

from agent.accounting.connect import HIDDEN
from agent.accounting.derivation import Derivation
from agent.accounting.question import Question
from agent.exact import open_accounts
from agent.netlink.sock_diag import SockDiag
from tests.netns import Netns
from tests.sockets import connect, listen

LOOP = bytes([127, 0, 0, 1])


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40999")
    return netns


def account(peer_port: int, *, probing: bool = True, thoroughly: bool = True) -> tuple[Derivation, str]:
    with SockDiag() as diag:
        accountant = open_accounts(diag, probing=probing)
        question = Question(local=LOOP, peer=LOOP, peer_port=peer_port)
        return accountant.account(question, thoroughly=thoroughly), accountant.unavailable


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


def test_a_sample_without_binders_spares_the_other_probes(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 600)

    told, _note = host.run(account, 9001, thoroughly=False)

    assert (told.probed, told.headroom) == (0, 1000)


def test_a_sample_with_binders_has_all_probed(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 600, local="127.0.0.1")

    told, _note = host.run(account, 9001, thoroughly=False)

    assert (told.probed, told.headroom) == (600, 400)


def test_where_probing_fails_the_account_says_why_and_widens(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9002), 30)
    without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    explain = [sys.executable, "-m", "agent", "explain", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001", "--json"]

    told = json.loads(host.check_output([*without, *explain]))

    assert "CAP_NET_ADMIN" in told["note"]
    assert (told["headroom_min"], told["headroom"], told["headroom_max"]) == (970, 1000, 1000)
    assert told["doubts"] == [{"ports": 30, "why": HIDDEN}]
