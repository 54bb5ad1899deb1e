"""A sample of the running kernel counts what is there, as the kernel's own text lists it."""

import socket
import sys
import time
from pathlib import Path

import pytest

from agent.hidden import HiddenBinders
from agent.netlink.sock_diag import SockDiag
from agent.probe import probe
from agent.sampling import Blocked, Sampler, count_outbound, has_tcp
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
    return Sampler().sample(0.0)


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


def test_time_waits_of_explicit_binders_are_known_by_their_cookies(host: Netns, keep: list[socket.socket]) -> None:
    """They block their ports for every destination; those that no sample saw alive cannot be told from others."""
    server = host.run(listen, keep, 9002)
    pairs = [host.run(connect, keep, server, 1, local="127.0.0.1", local_port=40_000 + n)[0] for n in range(20)]
    pairs += host.run(connect, keep, server, 10)
    sampler = host.run(lambda: Sampler(hidden=HiddenBinders(may_probe=False)))
    alive = host.run(sampler.sample, 0.0)
    for client, accepted in pairs:
        client.close()
        accepted.close()

    after = host.run(sampler.sample, 10_000.0)
    told = host.run(probe, range(40_000, 40_020))

    assert not any(told.values())
    assert (alive.namespace.blocked, after.namespace.blocked) == (20, 20)
    assert [dict(one.states) for one in after.readings] == [{State.TIME_WAIT: 10}]
    assert host.run(sample_unprobed).namespace.blocked == 0


def sample_unprobed() -> Summary:
    return Sampler(hidden=HiddenBinders(may_probe=False)).sample(0.0)


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

    assert seen == [0, 200, 0]


def test_a_dump_of_thousands_spans_many_receives_and_loses_none(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "32768 60999")
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 3_000)

    def count() -> int:
        with SockDiag() as diag:
            return count_outbound(diag, PortRange(32_768, 60_999), Blocked(frozenset(), frozenset())).total()

    assert host.run(count) == 3_000


def test_a_namespace_of_one_port_is_sampled_like_any_other(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40000")
    host.run(connect, keep, host.run(listen, keep, 9001), 1)

    (only,) = host.run(sample).readings

    assert (only.held, only.capacity, only.headroom_min, only.headroom_max) == (1, 1, 0, 0)


def test_a_namespace_without_lo_is_sampled(host: Netns) -> None:
    """Made by `unshare --net` and left as it is: nothing can connect, and that is what is told."""
    code = "from agent.sampling import Sampler; print(Sampler().sample(0.0).readings)"

    assert host.check_output(["unshare", "--net", sys.executable, "-c", code]).strip() == "()"


def test_reserved_ports_by_the_thousand_cost_the_capacity_only(host: Netns, keep: list[socket.socket]) -> None:
    host.set_sysctl("ipv4/ip_local_port_range", "32768 60999")
    host.set_sysctl("ipv4/ip_local_reserved_ports", "1-40000,50000-65535")
    host.run(connect, keep, host.run(listen, keep, 9001), 3)

    (only,) = host.run(sample).readings

    assert (only.held, only.capacity) == (3, 9_999)


def test_only_sockets_outside_the_tables_are_missed_when_the_counters_say_none(
    host: Netns, keep: list[socket.socket]
) -> None:
    """The counters spare the dump; what they leave out, idle binds, is asked for all the same."""
    assert not host.run(has_tcp)

    def bind() -> None:
        keep.append(socket.socket())
        keep[-1].bind(("127.0.0.1", 40_100))

    host.run(bind)

    assert not host.run(has_tcp)
    assert host.run(sample).namespace.blocked == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_counters_know_listeners_connections_and_time_waits(
    host: Netns, keep: list[socket.socket], address: str
) -> None:
    server = host.run(listen, keep, 9001, address)
    seen = [host.run(has_tcp)]
    ((client, accepted),) = host.run(connect, keep, server, 1)
    server.close()
    seen.append(host.run(has_tcp))
    client.close()
    accepted.close()
    seen.append(host.run(has_tcp))

    assert seen == [True] * 3
    assert host.run(sample).namespace.totals == {State.TIME_WAIT: 1}


def test_hidden_binders_lower_the_capacity_and_are_a_pool_of_their_own(host: Netns, keep: list[socket.socket]) -> None:
    """A sidecar that binds its source address: every destination loses those ports."""
    host.run(connect, keep, host.run(listen, keep, 9001), 60, local="127.0.0.1")
    host.run(connect, keep, host.run(listen, keep, 9002), 30)

    def sample_once() -> Summary:
        return Sampler(hidden=HiddenBinders(at_once=True)).sample(0.0)

    summary = host.run(sample_once)

    assert (summary.namespace.blocked, summary.namespace.capacity) == (60, 240)
    told = {str(one.pool): (one.held, one.capacity, one.headroom_min, one.headroom_max) for one in summary.readings}
    assert told == {
        "127.0.0.1 -> any (bind)": (90, 300, 210, 210),
        "127.0.0.1 -> 127.0.0.1:9002": (30, 240, 210, 210),
    }


def test_time_waits_of_a_hot_pool_are_held_only_until_connect_may_recycle_them(
    host: Netns, keep: list[socket.socket]
) -> None:
    host.set_sysctl("ipv4/tcp_tw_reuse", "1")
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 20)
    for client, accepted in host.run(connect, keep, server, 200):
        client.close()
        accepted.close()

    delay = Path("/proc/sys/net/ipv4/tcp_tw_reuse_delay")
    if delay.exists():  # Before 6.14 the delay is a second, too short for a busy machine to see both sides of.
        host.run(delay.write_text, "30000")
        young = host.run(sample).readings[0]
        host.run(delay.write_text, "1")
        assert (young.held, young.headroom_min, young.headroom_max) == (220, 80, 80)
    time.sleep(1.1)
    old = host.run(sample).readings[0]
    assert (old.held, old.headroom_min, old.headroom_max) == (20, 80, 280)
