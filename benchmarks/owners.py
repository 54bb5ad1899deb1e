"""What it costs to learn who holds the hot pools. `python -m benchmarks.owners [--sockets 200000]` (as root).

Pools of 28,000 sockets, all hot at once, in processes of 18,000 sockets each; CPU time of the two halves of a look, of
which there is one every 30 s at most, beside that of one whole dump of the namespace.
"""

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.owners import OwnerFinder, claims_on
from agent.tally import CONNECTED_STATES
from benchmarks.fabricate import FIRST_PEER_PORT, LOCAL_IP, PEER_IP, fabricated
from shared.addresses import parse_ip
from shared.model import Kind, Pool
from shared.ports import PortRange
from tests.netns import fresh_netns

T = TypeVar("T")
RANGE = PortRange(32_768, 60_999)
PORTS_A_POOL = 28_000


def timed(title: str, action: Callable[[], T]) -> T:
    """The answer of `action`; prints its CPU time in this thread."""
    started = time.thread_time()
    answer = action()
    print(f"{title:<48} {1000 * (time.thread_time() - started):8.1f} ms")
    return answer


def look(pools: list[Pool]) -> None:
    """Measure in the namespace that this thread is in."""
    with SockDiag() as diag:
        request = both_families(CONNECTED_STATES, local_port_in([RANGE]))
        timed("one whole dump, unparsed", lambda: sum(1 for _ in diag.dump(request)))
        claims = timed("claims on all hot pools", lambda: claims_on(diag, RANGE, pools))
        finder = OwnerFinder()
        found = timed("groups, users and processes, the first time", lambda: finder.find(claims, 0.0))
        timed("groups, users and processes, later", lambda: finder.find(claims, 0.0))
    told = sum(any(owner.processes for owner in one.owners) for one in found.values())
    print(f"{len(pools)} hot pools, of {told} a process was found")


def main() -> None:
    """Fabricate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=200_000)
    sockets = parser.parse_args().sockets
    ports = range(FIRST_PEER_PORT, FIRST_PEER_PORT + max(1, sockets // PORTS_A_POOL))
    pools = [Pool("here", Kind.CONNECT, parse_ip(LOCAL_IP), parse_ip(PEER_IP), port) for port in ports]
    with fresh_netns() as netns:
        holding = fabricated(sockets, PORTS_A_POOL)
        netns.run(holding.__enter__)
        try:
            netns.run(look, pools)
        finally:
            netns.run(holding.__exit__, None, None, None)


if __name__ == "__main__":
    main()
