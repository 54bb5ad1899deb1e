"""The comparison is fair: every way counts the same sockets in the same pools."""

import json
import socket
import sys
from collections import Counter
from contextlib import ExitStack

import pytest

from benchmarks.fabricate import FIRST_PORT, LOCAL_IP, PEER_IP, REPOSITORY, TCP_REPAIR, connect_in_repair, fabricated
from benchmarks.ways import WAYS, Held
from tests.netns import Netns

OUTSIDE_THE_RANGE = 20_000


def connected_from(port: int) -> socket.socket:
    """An explicit bind: IP_LOCAL_PORT_RANGE reaches no port outside the range."""
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    made.bind((LOCAL_IP, port))
    made.connect((PEER_IP, 1_000))
    return made


def counted(netns: Netns, way: str) -> tuple[list[float], Held]:
    answer = json.loads(
        netns.check_output([sys.executable, "-m", "benchmarks.ways", way], input="\n", cwd=REPOSITORY, timeout=60)
    )
    return answer["cost"], Counter({(local, peer): held for local, peer, held in answer["held"]})


@pytest.mark.parametrize("way", [name for name in WAYS if not name.startswith("floor")])
def test_every_way_counts_the_same_pools(netns: Netns, way: str) -> None:
    """Two IPv4 pools, one IPv6 pool, and what is none of them: a listener, and a port outside the range."""
    with ExitStack() as stack:
        netns.run(stack.enter_context, fabricated(150, ports_per_pool=100))
        for port in (FIRST_PORT, FIRST_PORT + 1):
            stack.enter_context(netns.run(connect_in_repair, port, ("::1", 1_000), socket.AF_INET6))
        stack.enter_context(netns.run(connected_from, OUTSIDE_THE_RANGE))
        stack.enter_context(netns.run(socket.create_server, (LOCAL_IP, FIRST_PORT + 9_000)))

        _, held = counted(netns, way)

    assert held == {
        (LOCAL_IP, f"{PEER_IP}:1000"): 100,
        (LOCAL_IP, f"{PEER_IP}:1001"): 50,
        ("::1", "[::1]:1000"): 2,
    }


@pytest.mark.parametrize("way", WAYS)
def test_every_way_tells_what_counting_cost(netns: Netns, way: str) -> None:
    (cpu_s, wall_s, peak_bytes), _ = counted(netns, way)

    assert 0 < cpu_s < 10
    assert 0 < wall_s < 10
    assert 0 < peak_bytes < 500e6
