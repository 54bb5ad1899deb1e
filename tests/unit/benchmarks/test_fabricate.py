"""Fabricated sockets are real to the kernel and to the agent, and do not outlive their block."""

from agent.sampling import Sampler
from benchmarks.fabricate import FIRST_PORT, LOCAL_IP, PEER_IP, fabricated, leave_in_time_wait
from shared.model import Reading
from shared.tcp import State
from tests.netns import Netns

COUNT_SOCKETS = ["sh", "-c", "tail -n +2 /proc/net/tcp | wc -l"]


def sample() -> tuple[Reading, ...]:
    return Sampler().sample(now_s=0.0).readings


def test_the_kernel_lists_fabricated_sockets_while_the_block_is_open_and_none_after(netns: Netns) -> None:
    block = fabricated(200)

    netns.run(block.__enter__)
    inside = netns.check_output(COUNT_SOCKETS)
    block.__exit__(None, None, None)

    assert int(inside) == 200
    assert int(netns.check_output(COUNT_SOCKETS)) == 0


def test_the_agent_counts_them_as_connections_that_hold_ports_of_their_pools(netns: Netns) -> None:
    block = fabricated(250, ports_per_pool=100)
    netns.run(block.__enter__)

    readings = netns.run(sample)
    block.__exit__(None, None, None)

    assert [(str(one.pool), one.held, one.states) for one in sorted(readings, key=lambda one: one.pool)] == [
        (f"{LOCAL_IP} -> {PEER_IP}:1000", 100, {State.ESTABLISHED: 100}),
        (f"{LOCAL_IP} -> {PEER_IP}:1001", 100, {State.ESTABLISHED: 100}),
        (f"{LOCAL_IP} -> {PEER_IP}:1002", 50, {State.ESTABLISHED: 50}),
    ]


def test_they_are_bound_as_connect_binds_so_that_another_destination_may_share_the_port(netns: Netns) -> None:
    """Explicit binds would block the port for every destination, and the agent would count it as blocked."""
    block = fabricated(1)
    netns.run(block.__enter__)
    netns.set_sysctl("ipv4/ip_local_port_range", f"{FIRST_PORT} {FIRST_PORT}")

    (reading,) = netns.run(sample)
    block.__exit__(None, None, None)

    assert (reading.held, reading.capacity) == (1, 1)


def test_time_waits_have_pools_of_their_own(netns: Netns) -> None:
    netns.set_sysctl("ipv4/tcp_tw_reuse", "0")
    netns.run(leave_in_time_wait, 50, ports_per_pool=30)

    readings = netns.run(sample)

    assert [(str(one.pool), one.states) for one in sorted(readings, key=lambda one: one.pool)] == [
        (f"{LOCAL_IP} -> {PEER_IP}:2000", {State.TIME_WAIT: 30}),
        (f"{LOCAL_IP} -> {PEER_IP}:2001", {State.TIME_WAIT: 20}),
    ]
