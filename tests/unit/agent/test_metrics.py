"""What Prometheus is told: bounded, adding up, and never yesterday's numbers for today's."""

from collections import Counter
from typing import Any

from agent.cadence import Reason
from agent.exposition import Family
from agent.metrics import MOST_POOLS, Facts, families
from agent.model import Footprint
from agent.tallies import Pushes, Samplings, SpoolState
from shared.model import Kind, Reading, Remainder
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading


def the_facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {
        "version": "1.2.3",
        "interval_s": 10.0,
        "now_s": 104.0,
        "now_ms": NOON_MS,
        "samplings": Samplings(),
        "pushes": Pushes(),
        "spool": SpoolState(0, 0, 0, 0),
        "footprint": Footprint(30_000_000, 1.5, 12),
    }
    return Facts(**(known | changes))


def sampled(*readings: Reading, remainder: Remainder | None = None) -> Samplings:
    return Samplings(
        samples=Counter({Reason.FIRST: 1, Reason.HOT: 4}),
        last_at_s=100.0,
        back_by_s=110.0,
        pools=len(readings),
        readings=readings,
        spaces=(a_namespace(remainder=remainder),),
    )


def told(facts: Facts) -> dict[str, Family]:
    return {one.name.removeprefix("portgauge_agent_"): one for one in families(facts)}


def value(families_: dict[str, Family], name: str) -> float | None:
    return families_[name].series.get(())


def test_before_the_first_sample_nothing_is_known_and_the_agent_is_not_healthy() -> None:
    seen = told(the_facts())

    assert value(seen, "healthy") == 0
    assert value(seen, "last_sample_age_seconds") is None
    assert value(seen, "last_sample_sockets") is None
    assert "pool_held_ports" not in seen


def test_samples_are_told_by_reason_each_reason_from_the_start() -> None:
    """A counter that appears with its first event has no rate for it."""
    series = told(the_facts(samplings=sampled()))["samples_total"].series

    assert series[(("reason", "hot"),)] == 4
    assert {reason for ((_label, reason),) in series} == {str(reason) for reason in Reason}


def test_a_pool_is_told_with_what_it_is() -> None:
    seen = told(the_facts(samplings=sampled(a_reading(255))))

    labels = (("netns", "host"), ("kind", "connect"), ("local_ip", "127.0.0.1"), ("peer_ip", "127.0.0.1"))
    assert seen["pool_held_ports"].series == {(*labels, ("peer_port", "9001")): 255}
    assert list(seen["pool_capacity_ports"].series.values()) == [300]
    assert list(seen["pool_headroom_ports"].series.values()) == [45]


def test_a_pool_without_a_peer_has_no_label_for_one() -> None:
    bound = a_reading(pool=a_pool(0, kind=Kind.BIND, peer="0.0.0.0"))
    pool = type(bound.pool)("host", Kind.BIND, bound.pool.local)
    seen = told(the_facts(samplings=sampled(a_reading(5, pool=pool))))

    ((labels, held),) = seen["pool_held_ports"].series.items()
    assert held == 5
    assert "peer_ip" not in dict(labels)


def test_series_are_bounded_and_the_rest_adds_up() -> None:
    """Nine thousand pools must not become nine thousand series on each of ten thousand hosts."""
    readings = [a_reading(number % 300, pool=a_pool(1 + number)) for number in range(9_000)]
    apart = Remainder(pools=7, held=21, max_held=4)

    seen = told(the_facts(samplings=sampled(*readings, remainder=apart)))

    shown = seen["pool_held_ports"].series
    assert len(shown) == MOST_POOLS
    assert min(shown.values()) == 298
    assert value(seen, "other_pools") == 9_000 - MOST_POOLS + 7
    assert value(seen, "other_pools_held_ports") == sum(one.held for one in readings) - sum(shown.values()) + 21


def test_pools_that_are_no_longer_measured_are_not_told() -> None:
    """Unknown is never shown as what it was."""
    seen = told(the_facts(samplings=sampled(a_reading(255)), now_s=100_000.0))

    assert value(seen, "healthy") == 0
    assert "pool_held_ports" not in seen
    assert value(seen, "last_sample_age_seconds") == 99_900


def test_the_spool_is_told_with_the_age_of_its_oldest() -> None:
    seen = told(the_facts(spool=SpoolState(3, 1200, 5, 1, oldest_at_ms=NOON_MS - 90_000)))

    names = ("spool_snapshots", "spool_size_bytes", "spool_dropped_total", "spool_refused_snapshots")
    assert [value(seen, name) for name in names] == [3, 1200, 5, 1]
    assert value(seen, "spool_oldest_age_seconds") == 90
    assert value(told(the_facts()), "spool_oldest_age_seconds") is None


def test_a_clock_that_stepped_back_makes_no_negative_age() -> None:
    seen = told(the_facts(spool=SpoolState(1, 1, 0, 0, oldest_at_ms=NOON_MS + 90_000)))

    assert value(seen, "spool_oldest_age_seconds") == 0
