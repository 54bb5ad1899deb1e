"""Sockets that are kept alive, from ports of our own."""

import errno
import socket
from contextlib import closing

import pytest

from agent.dialing import KEEPALIVE_S, Dialer

LOOPBACK = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 9))


@pytest.fixture
def two_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]


def port_of(dialer: Dialer) -> int:
    with closing(dialer.open_socket(LOOPBACK)) as made:
        port: int = made.getsockname()[1]
    return port


def test_a_dead_peer_is_noticed_and_an_idle_line_stays_known_to_whoever_is_between() -> None:
    dialer = Dialer()
    dialer.begin()

    with closing(dialer.open_socket(LOOPBACK)) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == KEEPALIVE_S
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 0
        assert made.getsockname()[1] == 0


def test_each_attempt_begins_with_the_port_after_the_last_one(two_ports: list[int]) -> None:
    dialer = Dialer(two_ports)

    found = []
    for _ in range(3):
        dialer.begin()
        found.append(port_of(dialer))

    assert found == [two_ports[0], two_ports[1], two_ports[0]]


def test_after_the_source_ports_the_kernel_chooses(two_ports: list[int]) -> None:
    dialer = Dialer(two_ports)
    dialer.begin()

    assert [port_of(dialer) for _ in range(3)] == [*two_ports, 0]
    assert not dialer.may_try_another(OSError(errno.EADDRNOTAVAIL, ""))


def test_a_port_that_is_taken_is_passed_over_and_named(two_ports: list[int]) -> None:
    dialer = Dialer(two_ports)
    with socket.create_server(("", two_ports[0])):
        dialer.begin()
        assert port_of(dialer) == two_ports[1]

    assert dialer.may_try_another(OSError(errno.EADDRNOTAVAIL, ""))
    assert dialer.why_no_port() == (
        "this host has no local port left towards it, and none of source_ports can be had: "
        f"{two_ports[0]} (Address already in use), {two_ports[1]} (Cannot assign requested address)"
    )


def test_a_refusal_of_the_collector_is_no_reason_to_try_another_port(two_ports: list[int]) -> None:
    dialer = Dialer(two_ports)
    dialer.begin()
    port_of(dialer)

    assert not dialer.may_try_another(OSError(errno.ECONNREFUSED, ""))


def test_without_source_ports_the_mend_is_named() -> None:
    assert "source_ports" in Dialer().why_no_port()
