"""A sample of the running kernel counts what is there, as the kernel's own text lists it."""

import socket

import pytest

from agent.sampling import Sampler, count_outbound
from agent.tally import Summary
from shared.ports import PortRange
from shared.tcp import State
from tests.netns import Netns
from tests.sockets import connect, listen

RANGE = PortRange(40_000, 40_299)


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", f"{RANGE.low} {RANGE.high}")
    return netns


def sample() -> Summary:
    sampler = Sampler()
    try:
        return sampler.sample(0.0)
    finally:
        sampler.close()


def test_connections_are_counted_by_pool_and_state(host: Netns, keep: list[socket.socket]) -> None:
    first, second = host.run(listen, keep, 9001), host.run(listen, keep, 9002)
    host.run(connect, keep, first, 50)
    for client, accepted in host.run(connect, keep, second, 20):
        client.close()
        accepted.close()

    summary = host.run(sample)

    assert [(str(one.pool), dict(one.states)) for one in summary.readings] == [
        ("127.0.0.1 -> 127.0.0.1:9001", {State.ESTABLISHED: 50}),
        ("127.0.0.1 -> 127.0.0.1:9002", {State.TIME_WAIT: 20}),
    ]
    assert summary.namespace.totals == {State.ESTABLISHED: 50, State.TIME_WAIT: 20}
    assert summary.namespace.capacity == 300


def test_ipv6_and_v4_mapped_connections_are_counted_where_they_belong(host: Netns, keep: list[socket.socket]) -> None:
    server, server6 = host.run(listen, keep, 9001), host.run(listen, keep, 9001, "::1")
    host.run(connect, keep, server, 5)
    host.run(connect, keep, server6, 7)

    def mapped() -> None:
        for _ in range(3):
            client = socket.socket(socket.AF_INET6)
            client.connect(("::ffff:127.0.0.1", 9001))
            keep.extend([client, server.accept()[0]])

    host.run(mapped)

    readings = {str(one.pool): one.held for one in host.run(sample).readings}
    assert readings == {"127.0.0.1 -> 127.0.0.1:9001": 8, "::1 -> [::1]:9001": 7}


def test_accepted_connections_hold_no_port_of_ours_even_inside_the_range(
    host: Netns, keep: list[socket.socket]
) -> None:
    """A service that listens on a port of the range: its clients are not our pool, its port is lost to every pool."""
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40009")
    inside = host.run(listen, keep, 40_005)
    host.set_sysctl("ipv4/ip_local_port_range", "50000 50099")
    host.run(connect, keep, inside, 30)
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40299")

    summary = host.run(sample)

    assert summary.readings == ()
    assert (summary.namespace.blocked, summary.namespace.capacity) == (1, 299)


def test_visible_binders_lower_the_capacity(host: Netns, keep: list[socket.socket]) -> None:
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 1, local="127.0.0.1", local_port=40_100)
    host.run(listen, keep, 40_101)

    def idle() -> None:
        bound = socket.socket()
        bound.bind(("127.0.0.9", 40_102))
        keep.append(bound)

    host.run(idle)

    assert host.run(sample).namespace.blocked == 3


def test_a_range_full_of_listeners_has_nothing_to_count(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40001")
    for port in (40_000, 40_001):
        host.run(listen, keep, port)

    summary = host.run(sample)

    assert summary.readings == ()
    assert summary.namespace.capacity == 0


def test_sampling_again_and_again_sees_the_change(host: Netns, keep: list[socket.socket]) -> None:
    server = host.run(listen, keep, 9001)
    sampler = host.run(Sampler)

    def held() -> int:
        return sum(one.held for one in sampler.sample(0.0).readings)

    seen = [host.run(held)]
    host.run(connect, keep, server, 200)
    seen.append(host.run(held))
    for one in keep:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        one.close()
    seen.append(host.run(held))
    sampler.close()

    assert seen == [0, 200, 0]


def test_a_dump_of_thousands_spans_many_receives_and_loses_none(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "32768 60999")
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 3_000)

    def count() -> int:
        sampler = Sampler()
        try:
            return count_outbound(sampler._diag, PortRange(32_768, 60_999), frozenset()).total()
        finally:
            sampler.close()

    assert host.run(count) == 3_000
