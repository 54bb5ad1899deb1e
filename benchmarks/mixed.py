"""A mixed fleet for benchmarks of the history: idle pools, quiet ones, busy ones and ones in trouble, as snapshots.

A quarter each: a handful of kept connections that hardly change; tens that come and go; hundreds with TIME_WAITs in
their wake; thousands that churn. Counts walk at random, so that nothing is easier to compress than real noise.
"""

from collections.abc import Iterator

import numpy as np

from collector.history.chunk import Ints
from shared.model import Kind, Namespace, Pool, Reading, Snapshot
from shared.ports import PortRange
from shared.tcp import State

RANGE = PortRange(32_768, 60_999)
MIXTURE = ((6, 0, 0, 0), (50, 2, 5, 1), (800, 12, 300, 9), (4_000, 60, 6_000, 90))
"""(ESTABLISHED, its largest step, TIME_WAIT, its largest step) of each quarter."""


def walks(pools: int, instants: int, seed: int) -> tuple[Ints, Ints]:
    """(ESTABLISHED, TIME_WAIT), each (pools, instants)."""
    random = np.random.default_rng(seed)
    kinds = [MIXTURE[number % len(MIXTURE)] for number in range(pools)]

    def walk(start: int, step: int) -> Ints:
        return np.clip(start + np.cumsum(random.integers(-step, step + 1, instants)), 0, 14_000)

    established = np.stack([walk(start, step) for start, step, _, _ in kinds])
    return established, np.stack([walk(start, step) for _, _, start, step in kinds])


def snapshots(host: str, pools: int, instants: int, *, from_ms: int, every_ms: int = 10_000) -> Iterator[Snapshot]:
    """One host over time."""
    seed = int.from_bytes(host.encode()[-6:], "big")
    jitter = np.random.default_rng(seed).integers(0, 40, instants).tolist()
    established, waiting = walks(pools, instants, seed)
    named = [pool_of(number) for number in range(pools)]
    namespace = Namespace(name="host", inode=4_026_531_840, port_range=RANGE, reserved=0, blocked=0)
    for instant in range(instants):
        pairs = zip(named, established[:, instant].tolist(), waiting[:, instant].tolist(), strict=True)
        yield Snapshot(
            host=host,
            boot_id="0f0e0d0c.a1b2c3d4",
            seq=instant,
            taken_at_ms=from_ms + instant * every_ms + jitter[instant],
            agent_version="0.1.0",
            interval_ms=every_ms,
            labels={"role": "edge"},
            namespaces=(namespace,),
            readings=tuple(_reading(*pair) for pair in pairs),
        )


def pool_of(number: int) -> Pool:
    """10.0.0.1 -> 10.1.x.y:8080, one backend a pool."""
    return Pool("host", Kind.CONNECT, bytes([10, 0, 0, 1]), bytes([10, 1, number // 250, number % 250]), 8080)


def _reading(pool: Pool, established: int, waiting: int) -> Reading:
    held, capacity = established + waiting, len(RANGE)
    states = {State.ESTABLISHED: established, State.TIME_WAIT: waiting}
    return Reading(pool, held, capacity, capacity - held, capacity - held, states)
