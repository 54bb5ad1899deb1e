"""A pool is past the knee exactly when no port is left at an even offset, and counting it costs no more than needed."""

import socket
import time

import pytest

from agent.knee import EVERY_S, even_count, even_ports, is_past
from agent.model import PortSettings
from agent.sampling import Sampler
from agent.tally import Knowledge
from benchmarks.fabricate import connect_in_repair
from shared.model import Reading
from shared.ports import PortRange
from shared.tcp import State
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


@pytest.mark.parametrize("ports", [RANGE, PortRange(40_001, 40_019), PortRange(40_001, 40_001)])
def test_even_means_as_far_from_the_start_of_the_range_as_that(ports: PortRange) -> None:
    settings = PortSettings(ports, reserved=frozenset({40_003, 40_004, 50_000}))
    known = Knowledge(settings, frozenset({40_004, 40_005, 9_001}))

    assert even_ports(known) == {port for port in ports.ports if (port - ports.low) % 2 == 0} - {40_003, 40_004, 40_005}
    assert even_count(known) == len(even_ports(known))
