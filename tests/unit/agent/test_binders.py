"""Binders that the kernel lists, and the pools of those it does not."""

import socket

import pytest

from agent.binders import binder_pools, binders
from agent.lingering import Lingering
from agent.netlink.sock_diag import SockDiag
from agent.sysctl import read_port_settings
from shared.model import Reading
from tests.netns import Netns
from tests.sockets import connect, listen


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    return netns


def listed() -> frozenset[int]:
    with SockDiag() as diag:
        return binders(diag, read_port_settings(), Lingering())


def pools_of(shut: frozenset[int]) -> list[Reading]:
    with SockDiag() as diag:
        return list(binder_pools(diag, read_port_settings(), shut, "host"))


def test_idle_and_explicit_binders_are_listed_listeners_and_plain_connections_not(
    host: Netns, keep: list[socket.socket]
) -> None:
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 5)
    host.run(connect, keep, server, 1, local="127.0.0.1", local_port=40_201)

    def idle() -> None:
        keep.append(socket.socket())
        keep[-1].bind(("127.0.0.9", 40_203))

    host.run(idle)

    assert host.run(listed) == {40_201, 40_203}


def test_a_binders_pool_is_its_address_whatever_the_destination(host: Netns, keep: list[socket.socket]) -> None:
    """All ports of 127.0.0.1 count against bind(127.0.0.1, 0), those of plain connections too."""
    first, second = host.run(listen, keep, 9001), host.run(listen, keep, 9002)
    bound = host.run(connect, keep, first, 40, local="127.0.0.1")
    host.run(connect, keep, second, 10)

    (pool,) = host.run(pools_of, frozenset(client.getsockname()[1] for client, _accepted in bound))

    assert str(pool.pool) == "127.0.0.1 -> any (bind)"
    assert (pool.held, pool.capacity, pool.headroom_min, pool.headroom_max) == (50, 300, 250, 250)


def test_without_shut_ports_there_is_no_such_pool(host: Netns) -> None:
    assert host.run(pools_of, frozenset()) == []


def test_a_probe_met_under_somebodys_connections_makes_them_no_binder(host: Netns, keep: list[socket.socket]) -> None:
    """A command of ours, or anybody who tries a port, holds it for an instant: one port, perhaps two."""
    server = host.run(listen, keep, 9001)
    plain = host.run(connect, keep, server, 40)

    assert host.run(pools_of, frozenset(client.getsockname()[1] for client, _accepted in plain[:2])) == []
