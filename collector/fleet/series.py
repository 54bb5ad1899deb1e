"""What Prometheus is told of the fleet's pools: so many of the fullest one by one, all others as sums. Pure.

The number of series is bounded by how many pools are told one by one, however many hosts there are. Labels are those
of the agent's own series, and the host.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily

from collector.fleet.census import Census
from collector.fleet.host import PoolNow
from collector.fleet.looks import Look
from shared.model import Pool

LABELS = ("host", "role", "netns", "kind", "local_ip", "peer_ip", "peer_port")
OF_POOLS: Mapping[str, tuple[str, Callable[[PoolNow], int]]] = {
    "held_ports": ("Ports that cannot be lent now.", lambda item: item.reading.held),
    "capacity_ports": ("Ports that the pool can lend at all.", lambda item: item.reading.capacity),
    "headroom_min_ports": ("How many more connect() succeed at least.", lambda item: item.reading.headroom_min),
    "headroom_max_ports": ("How many more connect() succeed at most.", lambda item: item.reading.headroom_max),
}
Ends = Mapping[tuple[str, Pool], float]
"""Seconds until a pool is spent, by (host, pool), where that is foretold."""
Families = Iterator[GaugeMetricFamily]


def series(look: Look[Census] | None, ends: Ends, now_ms: int) -> Families:
    """Everything about pools. Without a look that is done: that nothing is told, for that must not pass for calm."""
    is_told = look is not None and look.is_done
    yield _single("pools_told", "Whether pools are told (1), or nothing is known of them here (0).", int(is_told))
    if look and is_told:
        age_s = max(0, now_ms - look.at_ms) / 1000
        yield _single("pools_age_seconds", "Age of the look at all hosts that pools are told from.", age_s)
        yield from _one_by_one(look.pools, ends)
        yield from _sums(look.pools)


def _one_by_one(census: Census, ends: Ends) -> Families:
    if not census.fullest:
        return
    for name, (about, value_of) in OF_POOLS.items():
        yield _of_pools(name, about, [(item, value_of(item)) for item in census.fullest])
    foretold = [(item, ends[key]) for item in census.fullest if (key := (item.host, item.reading.pool)) in ends]
    if foretold:
        about = "Time until the pool is spent, where an alert that is open foretells it."
        yield _of_pools("until_spent_seconds", about, foretold)


def _of_pools(name: str, about: str, values: list[tuple[PoolNow, float]]) -> GaugeMetricFamily:
    family = _family(f"pool_{name}", f"{about} Of the fullest pools of the fleet.", LABELS)
    for item, value in values:
        family.add_metric(_labels(item), value)
    return family


def _sums(census: Census) -> Families:
    yield _single("other_pools", "Pools of hosts that report, without a series of their own.", census.other_pools)
    yield _single("other_pools_held_ports", "Ports held in them, together.", census.other_held)
    yield _single("other_pools_occupancy_max_ratio", "None of them is fuller, 0 to 1.", census.other_occupancy)
    doubtful = _family("doubtful_pools", "Pools told of by hosts that are silent or blind since.", ("state",))
    for presence, pools in census.doubtful.items():
        doubtful.add_metric((presence.value,), pools)
    yield doubtful
    yield _single("unreadable_hosts", "Hosts whose snapshots this version cannot read.", census.unreadable_hosts)
    about = "Network namespaces with sockets that agents could not read."
    yield _single("unreadable_namespaces", about, census.unreadable_namespaces)


def _labels(item: PoolNow) -> tuple[str, ...]:
    pool = item.reading.pool
    peer = (pool.peer_ip, str(pool.peer_port)) if pool.peer else ("", "")
    return (item.host, item.role or "", pool.netns, pool.kind.value, pool.local_ip, *peer)


def _single(name: str, about: str, value: float) -> GaugeMetricFamily:
    family = _family(name, about)
    family.add_metric((), value)
    return family


def _family(name: str, about: str, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"portgauge_collector_{name}", about, labels=labels)
