"""What the agent tells Prometheus of itself and of the fullest pools of its host. Pure.

The number of series is bounded, however many pools there are: the fullest MOST_POOLS one by one, the rest as sums.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.cadence import Reason
from agent.exposition import Family, Labels, by, single
from agent.health import trouble
from agent.model import Footprint
from agent.tallies import Pushes, Samplings, SpoolState
from shared.model import Reading

MOST_POOLS = 50
"""Pools told one by one: three series each, whatever the host does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at one instant."""

    version: str
    interval_s: float
    now_s: float
    """Monotonic."""
    now_ms: int
    """Unix time."""
    samplings: Samplings
    pushes: Pushes
    spool: SpoolState
    footprint: Footprint


def families(facts: Facts) -> Iterator[Family]:
    """Everything. Pools only while they are measured: an old number must not pass for today's."""
    wrong = trouble(facts.samplings, facts.now_s, facts.interval_s)
    yield Family("portgauge_agent_build_info", "gauge", "What is running.", by("version", {facts.version: 1}))
    yield _gauge("healthy", "Whether this host is measured as it should be (1) or not (0).", 0 if wrong else 1)
    yield from _samplings(facts)
    yield from _spool(facts)
    yield from _pushes(facts.pushes)
    yield from _process(facts.footprint)
    if not wrong:
        yield from _pools(facts.samplings)


def _samplings(facts: Facts) -> Iterator[Family]:
    done = facts.samplings
    reasons = by("reason", {str(reason): done.samples[reason] for reason in Reason})
    yield Family("portgauge_agent_samples_total", "counter", "Samples taken, by the reason for each.", reasons)
    yield _counter("samples_failed_total", "Samples that failed.", done.failed)
    yield _counter("samples_deferred_total", "Samples wanted that the CPU share did not allow yet.", done.deferred)
    yield _counter("sampler_restarts_total", "Samplers that kept failing and were replaced.", done.restarts)
    yield _counter(
        "sampling_cpu_seconds_total", "CPU time of samples, and of ticks at which something had moved.", done.cpu_s
    )
    yield _counter("namespaces_looked_at_total", "Looks at the sockets of one network namespace.", done.looked_at)
    yield _gauge("sampling_interval_seconds", "Time between samples where nothing happens.", done.interval_s)
    yield _gauge("last_sample_age_seconds", "Age of the last sample that succeeded.", done.age_s(facts.now_s))
    known = done.last_at_s is not None
    yield _gauge("last_sample_cpu_seconds", "CPU time that it took.", done.last_cpu_s if known else None)
    yield _gauge("last_sample_sockets", "Outbound sockets that it counted.", done.sockets if known else None)
    yield _gauge("last_sample_pools", "Pools that it lists one by one.", done.pools if known else None)
    yield _gauge("last_sample_namespaces", "Network namespaces it tells of.", done.namespaces if known else None)
    unread = "Network namespaces with sockets that it could not read."
    yield _gauge("last_sample_unreadable_namespaces", unread, done.unreadable if known else None)


def _spool(facts: Facts) -> Iterator[Family]:
    spool = facts.spool
    age_s = None if spool.oldest_at_ms is None else max(0, facts.now_ms - spool.oldest_at_ms) / 1000
    yield _gauge("spool_snapshots", "Snapshots that the collector has not taken yet.", spool.snapshots)
    yield _gauge("spool_refused_snapshots", "Those of them it will never take.", spool.refused)
    yield _gauge("spool_size_bytes", "Bytes of snapshots in the spool.", spool.bytes)
    yield _gauge("spool_oldest_age_seconds", "Age of the oldest snapshot in the spool.", age_s)
    yield _gauge("spool_in_memory_snapshots", "Those of them in memory, as the disk refuses them.", spool.in_memory)
    yield _counter("spool_dropped_total", "Snapshots dropped past a bound since the spool was made.", spool.dropped)
    yield _counter("spool_damaged_total", "Spool files found damaged and set aside.", spool.damaged)
    yield _counter("spool_salvaged_total", "Snapshots that could be read out of these.", spool.salvaged)


def _pushes(pushes: Pushes) -> Iterator[Family]:
    verdicts = by("verdict", pushes.verdicts)
    yield Family("portgauge_agent_pushes_total", "counter", "Attempts to send, by what came of them.", verdicts)
    yield _counter("connects_total", "Connections opened to the collector; a healthy agent needs one.", pushes.connects)
    yield _counter("pushed_bytes_total", "Bytes of snapshots that the collector took.", pushes.taken_bytes)
    yield _gauge(
        "config_revision", "Revision of the configuration that the collector spoke of.", pushes.config_revision
    )


def _process(footprint: Footprint) -> Iterator[Family]:
    yield single("process_resident_memory_bytes", "gauge", "Resident memory of the agent.", footprint.rss_bytes)
    yield single("process_cpu_seconds_total", "counter", "CPU time of the agent.", footprint.cpu_s)
    yield single("process_open_fds", "gauge", "Open files of the agent.", footprint.open_files)


def _pools(done: Samplings) -> Iterator[Family]:
    fullest = heapq.nlargest(MOST_POOLS, done.readings, key=lambda one: (one.occupancy, one.held))
    for name, help_, value in (
        ("held_ports", "Ports that cannot be lent now.", "held"),
        ("capacity_ports", "Ports that the pool can lend at all.", "capacity"),
        ("headroom_ports", "How many more connect() succeed at least.", "headroom_min"),
    ):
        series: dict[Labels, float] = {_labels(one): getattr(one, value) for one in fullest}
        yield Family(f"portgauge_agent_pool_{name}", "gauge", f"{help_} The fullest {MOST_POOLS} pools.", series)
    yield from _remainder(done, fullest)


def _remainder(done: Samplings, fullest: Sequence[Reading]) -> Iterator[Family]:
    """All that has no series of its own: readings past the fullest, and what no sample lists one by one."""
    apart = [space.remainder for space in done.spaces]
    pools = len(done.readings) - len(fullest) + sum(rest.pools for rest in apart)
    held = sum(one.held for one in done.readings) - sum(one.held for one in fullest) + sum(rest.held for rest in apart)
    yield _gauge("other_pools", "Pools without a series of their own.", pools)
    yield _gauge("other_pools_held_ports", "Ports held in them, together.", held)


def _labels(reading: Reading) -> Labels:
    pool = reading.pool
    peer = (("peer_ip", pool.peer_ip), ("peer_port", str(pool.peer_port))) if pool.peer else ()
    return (("netns", pool.netns), ("kind", str(pool.kind)), ("local_ip", pool.local_ip), *peer)


def _gauge(name: str, help_: str, value: float | None) -> Family:
    return single(f"portgauge_agent_{name}", "gauge", help_, value)


def _counter(name: str, help_: str, value: float) -> Family:
    return single(f"portgauge_agent_{name}", "counter", help_, value)
