"""What agents and the collector tell Prometheus, by name."""

from collections import Counter
from collections.abc import Set as AbstractSet

from prometheus_client.parser import text_string_to_metric_families

from agent.exposition import text_of
from agent.metrics import Facts, families
from agent.model import Footprint
from agent.tallies import Pushes, Samplings, SpoolState
from collector.fleet.census import Census
from collector.fleet.host import PoolNow, Presence
from collector.fleet.looks import Look
from collector.fleet.series import series
from collector.metrics import Metrics
from tests.builders import NOON_MS, a_namespace, a_reading


def told() -> AbstractSet[str]:
    """Names of series of an agent that measures and of a collector with hosts, notices and pools."""
    sampled = Samplings(last_at_s=100.0, back_by_s=110.0, readings=(a_reading(290),), spaces=(a_namespace(),))
    facts = Facts(
        version="1.2.3",
        interval_s=10.0,
        now_s=104.0,
        now_ms=NOON_MS,
        samplings=sampled,
        pushes=Pushes(verdicts=Counter(taken=1)),
        spool=SpoolState(0, 0, 0, 0),
        footprint=Footprint(30_000_000, 1.5, 12),
    )
    metrics = Metrics("1.2.3")
    metrics.count_snapshot("accepted", 400)
    metrics.count_request("/v1/hosts", "GET", 200)
    metrics.deliveries.labels("log", "delivered").inc()
    metrics.show_room(total=4096, free=0, set_aside=(0, 0))
    metrics.show_stored({"silent": 1}, {("page", "firing"): 1}, {"log": 1})
    full = PoolNow("lb1", "edge", a_reading(290), NOON_MS, is_current=True)
    look = Look(Census(fullest=[full], doubtful={Presence.SILENT: 3}), NOON_MS, 0.1)
    pools = series(look, {("lb1", full.reading.pool): 90.0}, NOON_MS)
    expositions = text_of(families(facts)), metrics.exposition(pools).decode()
    return {
        sample.name
        for text in expositions
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
