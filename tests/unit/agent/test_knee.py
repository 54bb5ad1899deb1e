"""A pool is past the knee exactly when no port is left at an even offset, and counting it costs no more than needed."""

import socket
import time

import pytest

from agent.knee import EVERY_S, MOST_POOLS, MOST_SOCKETS, affordable, free_even, is_past, not_lent
from agent.sampling import Sampler
from agent.tally import Knowledge
from benchmarks.fabricate import connect_in_repair
from shared.model import Reading
from shared.ports import PortRange, PortSettings
from shared.tcp import State
from tests.builders import a_pool
from tests.netns import Netns
from tests.sockets import connect, listen

RANGE = PortRange(40_000, 40_019)
EVEN, ODD = range(40_000, 40_020, 2), range(40_001, 40_020, 2)
PEER = ("127.1.0.1", 9001)


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", f"{RANGE.low} {RANGE.high}")
    return netns


def hold(keep: list[socket.socket], *ports: int) -> None:
    keep.extend(connect_in_repair(port, PEER) for port in ports)


def sample(sampler: Sampler | None = None, now_s: float = 0.0) -> Reading:
    (reading,) = (sampler or Sampler()).sample(now_s).readings
    return reading


def test_the_kernels_own_choice_passes_the_knee_at_half_of_the_range(host: Netns, keep: list[socket.socket]) -> None:
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 9)
    before = host.run(sample)
    host.run(connect, keep, server, 1)

    after = host.run(sample)

    assert (before.knee, before.held) == (False, 9)
    assert (after.knee, after.held) == (True, 10)


def test_ports_at_odd_offsets_do_not_count(host: Netns, keep: list[socket.socket]) -> None:
    host.run(hold, keep, *ODD, *EVEN[:9])

    assert host.run(sample).knee is False


def test_an_even_port_that_somebody_bound_is_none_to_lend(host: Netns, keep: list[socket.socket]) -> None:
    host.run(listen, keep, EVEN[0])
    host.run(hold, keep, *EVEN[1:])

    assert host.run(sample).knee is True


def test_a_time_wait_that_connect_recycles_is_a_port_to_lend(host: Netns, keep: list[socket.socket]) -> None:
    for client, accepted in host.run(connect, keep, host.run(listen, keep, 9001), 10):
        client.close()
        accepted.close()
    young = host.run(sample)
    time.sleep(1.05)

    assert (young.knee, young.states) == (True, {State.TIME_WAIT: 10})
    assert host.run(sample).knee is False


def test_a_pool_that_is_spent_needs_no_counting(host: Netns, keep: list[socket.socket]) -> None:
    sampler = Sampler()
    host.run(hold, keep, *EVEN)
    host.run(sample, sampler)
    host.run(hold, keep, *ODD)

    assert host.run(sample, sampler, 1.0).knee is True


def test_what_was_counted_counts_for_a_while(host: Netns, keep: list[socket.socket]) -> None:
    """A pool that fills up meanwhile is told late; one that empties below half of the range is told at once."""
    sampler = Sampler()
    host.run(hold, keep, *EVEN[:9], ODD[0])
    first = host.run(sample, sampler, 0.0)
    host.run(hold, keep, EVEN[9])

    assert first.knee is False
    assert host.run(sample, sampler, EVERY_S - 1).knee is False
    assert host.run(sample, sampler, EVERY_S).knee is True
    for one in keep[:5]:
        one.close()
    assert host.run(sample, sampler, EVERY_S + 1).knee is False


def test_ipv6_and_v4_mapped_sockets_count_in_their_pools(host: Netns, keep: list[socket.socket]) -> None:
    server = host.run(listen, keep, 9001)
    host.run(connect, keep, server, 5)

    def mapped() -> None:
        for _ in range(5):
            client = socket.socket(socket.AF_INET6)
            client.connect(("::ffff:127.0.0.1", 9001))
            keep.extend([client, server.accept()[0]])

    host.run(mapped)

    assert host.run(sample).knee is True


@pytest.mark.parametrize(("free", "unproven", "knee"), [(0, 0, True), (0, 5, True), (5, 5, None), (6, 5, False)])
def test_ports_that_may_be_blocked_leave_it_open(free: int, unproven: int, knee: bool | None) -> None:
    assert is_past(free, unproven) is knee


@pytest.mark.parametrize(
    ("ports", "free"), [(RANGE, 9), (PortRange(40_001, 40_019), 8), (PortRange(40_001, 40_001), 1)], ids=str
)
def test_even_means_as_far_from_the_start_of_the_range_as_that(ports: PortRange, free: int) -> None:
    settings = PortSettings(ports, reserved=frozenset({40_003, 40_004, 50_000}))

    assert free_even(not_lent(Knowledge(settings, frozenset({40_004, 40_005, 9_001})))) == free


def test_one_look_reads_so_many_sockets_of_the_fullest_pools() -> None:
    """Pools towards one remote port are read together, wanted or not."""
    web, mail, more = a_pool(443), a_pool(25), a_pool(443, peer="10.0.0.2")
    neighbour = a_pool(443, peer="10.0.0.3")
    sums = {web: 28_000, mail: 20_000, more: 18_000, neighbour: MOST_SOCKETS - 60_000}

    assert affordable([web, mail, more], sums) == [web]
    assert affordable([mail, web, more], {**sums, mail: 14_000}) == [mail, web, more]
    assert affordable([web], {web: 2 * MOST_SOCKETS}) == [web]
    assert len(affordable([a_pool(port) for port in range(1, 200)], {})) == MOST_POOLS
