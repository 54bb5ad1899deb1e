"""The netlink socket against the running kernel."""

import errno

import pytest

from agent.netlink.errors import DumpRefused
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, one_family, tcp_families
from agent.netlink.sock_diag import SockDiag
from shared.tcp import ALL_STATES
from tests.netns import Netns

NONSENSE = one_family(2, 6, ALL_STATES, b"\xff\x04\x04\x00")
"""Bytecode with an operation that does not exist."""


def read(diag: SockDiag, request: bytes) -> list[Socket]:
    return [one for buffer in diag.dump(request) for one in sockets(buffer)]


def test_an_empty_namespace_answers_with_nothing(netns: Netns) -> None:
    def ask() -> list[list[Socket]]:
        with SockDiag() as diag:
            return [read(diag, request) for request in (both_families(ALL_STATES), *tcp_families(ALL_STATES))]

    assert netns.run(ask) == [[], [], []]


def test_a_request_the_kernel_does_not_know_is_refused_with_its_errno() -> None:
    with SockDiag() as diag, pytest.raises(DumpRefused) as caught:
        read(diag, NONSENSE)

    assert caught.value.code == errno.EINVAL


def test_after_a_refusal_the_socket_serves_again() -> None:
    with SockDiag() as diag:
        with pytest.raises(DumpRefused):
            read(diag, NONSENSE)

        assert [len(buffer) for buffer in diag.dump(both_families(0))] == [20]


def test_a_closed_socket_is_refused_not_hung() -> None:
    diag = SockDiag()
    diag.close()

    with pytest.raises(DumpRefused):
        list(diag.dump(both_families(0)))
