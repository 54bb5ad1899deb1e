"""Failures and owners find their way into a sample, on real sockets, at a bounded cost."""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest

from agent.failures import FailureCount, Failures, Target
from agent.host import HostSample, HostSampler
from agent.insight import MOST_UNLISTED, PAUSE_S, REFRESH_S, Insight, better, is_hot, unlisted_reading
from agent.netns import OWN
from agent.owners import OwnerFinder
from agent.ownership import Claims, Owner, Ownership, Process
from agent.tally import Summary
from shared.addresses import parse_ip
from shared.model import Pool, Reading
from shared.tcp import State
from tests.builders import a_namespace, a_pool, a_reading
from tests.netns import Netns
from tests.sockets import connect, listen

LOOP = parse_ip("127.0.0.1")


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40099")
    return netns


def sampled(host: Netns, most: int = 200) -> HostSample:
    return host.run(HostSampler(most, [OWN]).sample_all, 0.0)


def failed(port: int, count: int, netns: int = 0) -> Failures:
    return Failures({Target(netns, LOOP, LOOP, port): FailureCount(count, 0, 0)})


def told(sample: HostSample) -> dict[int, tuple[int, int]]:
    """Remote port → (held, failures)."""
    return {one.pool.peer_port: (one.held, one.failures) for one in sample.readings}


# --- failures --------------------------------------------------------------------------------------------------------


def test_failures_are_told_with_the_pool_that_failed(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9001), 100)
    host.run(connect, keep, host.run(listen, keep, 9002), 10)
    sample = sampled(host)

    seen = host.run(Insight().into, sample, 0.0, failed(9001, 7))

    assert told(seen) == {9001: (100, 7), 9002: (10, 0)}


def test_a_failing_pool_that_holds_nothing_is_reported(host: Netns, keep: list[socket.socket]) -> None:
    """Every port of the range is bound: nothing is held by anybody, and every connect() fails."""
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40001")
    for port in (40_000, 40_001):
        host.run(listen, keep, port)
    sample = sampled(host)
    assert sample.readings == ()

    (reading,) = host.run(Insight().into, sample, 0.0, failed(9001, 7)).readings

    assert (reading.pool.peer_port, reading.held, reading.capacity, reading.failures) == (9001, 0, 0, 7)
    assert reading.occupancy == 1.0


def test_a_failing_pool_that_the_sample_left_out_is_listed_and_totals_still_add_up(
    host: Netns, keep: list[socket.socket]
) -> None:
    for port, count in ((9001, 20), (9002, 10), (9003, 5)):
        host.run(connect, keep, host.run(listen, keep, port), count)
    sample = sampled(host, most=1)

    seen = host.run(Insight().into, sample, 0.0, failed(9002, 3))

    assert told(seen) == {9001: (20, 0), 9002: (10, 3)}
    rest = seen.summaries[0].namespace.remainder
    assert (rest.pools, rest.held) == (1, 5)


def test_failures_of_nobody_sampled_are_counted_astray(host: Netns) -> None:
    insight = Insight()

    seen = host.run(insight.into, sampled(host), 0.0, failed(9001, 7, netns=1))

    assert (seen.readings, insight.astray) == ((), 7)


def test_a_storm_of_failing_pools_is_bounded() -> None:
    sample = HostSample((Summary(a_namespace("gone"), ()),), "gone")
    storm = Failures({Target(0, LOOP, LOOP, port): FailureCount(1, 0, 0) for port in range(1, MOST_UNLISTED + 11)})
    insight = Insight()

    seen = insight.into(sample, 0.0, storm)

    assert (len(seen.readings), insight.astray) == (MOST_UNLISTED, 10)


def test_an_unlisted_pool_may_have_nothing_left() -> None:
    reading = unlisted_reading(a_pool(), {State.ESTABLISHED: 3}, 10, 5)

    assert (reading.held, reading.headroom_min, reading.headroom_max, reading.failures) == (3, 0, 7, 5)


# --- owners ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("held", "failures", "hot"), [(149, 0, False), (150, 0, True), (1, 1, True)])
def test_pools_half_full_or_failing_are_hot(held: int, failures: int, hot: bool) -> None:
    assert is_hot(replace(a_reading(held), failures=failures)) is hot


def test_a_hot_pool_is_told_with_its_owner_and_a_calm_one_without(host: Netns, keep: list[socket.socket]) -> None:
    steps = json.dumps([["connect", "127.0.0.1", 9001, 60]])
    process = host.popen(
        [sys.executable, "-m", "tests.spender", steps], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    host.run(connect, keep, host.run(listen, keep, 9002), 10)

    seen = host.run(Insight().into, sampled(host), 0.0)

    owners = {one.pool.peer_port: one.owner for one in seen.readings}
    assert owners[9001].endswith(f"pid {process.pid}")
    assert owners[9002] == ""


class Finder(OwnerFinder):
    """Remembers when it was asked for what, and always finds haproxy until told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[float, set[int]]] = []
        self.found = Ownership((Owner(name="haproxy.service", sockets=1),))

    def find(self, claims: Mapping[Pool, Claims], now_s: float) -> dict[Pool, Ownership]:
        self.asked.append((now_s, {pool.peer_port for pool in claims}))
        return dict.fromkeys(claims, self.found)


def hot(*ports: int) -> HostSample:
    """Pools of our own namespace, whatever its name."""
    name = HostSampler(only=[OWN]).sample_all(0.0).own
    readings: list[Reading] = [a_reading(200, pool=a_pool(port, netns=name)) for port in ports]
    return HostSample((Summary(a_namespace(name), tuple(readings)),), name)


def test_an_owner_is_asked_for_once_in_a_while_and_remembered_between() -> None:
    finder = Finder()
    insight = Insight(finder=finder)

    seen = [insight.into(hot(9001), now_s).readings[0].owner for now_s in (0.0, 10.0, REFRESH_S - 0.1, REFRESH_S)]

    assert seen == ["haproxy.service"] * 4
    assert finder.asked == [(0.0, {9001}), (REFRESH_S, {9001})]


def test_pools_that_become_hot_one_after_the_other_wait_a_little() -> None:
    finder = Finder()
    insight = Insight(finder=finder)

    for now_s, ports in ((0.0, (1,)), (1.0, (1, 2)), (2.0, (1, 2, 3)), (PAUSE_S, (1, 2, 3))):
        insight.into(hot(*ports), now_s)

    assert finder.asked == [(0.0, {1}), (PAUSE_S, {2, 3})]


def test_who_held_a_pool_is_not_forgotten_while_it_drains_and_is_once_it_cooled() -> None:
    finder = Finder()
    insight = Insight(finder=finder)
    insight.into(hot(9001), 0.0)
    finder.found = Ownership(unowned=200)

    assert insight.into(hot(9001), REFRESH_S).readings[0].owner == "haproxy.service"
    insight.into(hot(), REFRESH_S + 1)
    assert insight.into(hot(9001), REFRESH_S * 3).readings[0].owner == ""


def test_processes_once_found_are_kept_when_a_later_search_has_no_time_for_them() -> None:
    told = Ownership((Owner(name="a", processes=(Process(1, "a"),), sockets=1),))
    bare = Ownership((Owner(name="a", sockets=1),))

    assert better(told, bare) is told
    assert better(bare, told) is told
    assert better(bare, Ownership()) is bare
    assert better(Ownership(), bare) is bare


def test_a_namespace_that_ended_meanwhile_leaves_its_pools_without_an_owner() -> None:
    reading = a_reading(200, pool=a_pool(netns="gone"))
    sample = HostSample((Summary(a_namespace("gone"), (reading,)),), "gone")

    assert Insight().into(sample, 0.0).readings == (reading,)
