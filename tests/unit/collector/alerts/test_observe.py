"""What a snapshot says of one pool."""

from collector.alerts.observe import Observation, observe
from shared.model import Remainder
from tests.builders import a_failure, a_namespace, a_pool, a_reading, a_snapshot


def test_a_listed_pool_is_seen_exactly() -> None:
    reading = a_reading(200)
    assert observe(a_snapshot(reading), a_pool()) == Observation(reading)


def test_a_pool_absent_from_a_complete_listing_holds_nothing() -> None:
    seen = observe(a_snapshot(), a_pool())
    assert seen is not None
    assert seen.reading is not None
    assert (seen.reading.held, seen.reading.headroom_min, seen.is_bound) == (0, 300, False)


def test_a_pool_absent_from_an_incomplete_listing_holds_at_most_what_the_remainder_allows() -> None:
    partial = a_namespace(remainder=Remainder(pools=7, held=20, max_held=12))
    seen = observe(a_snapshot(namespaces=[partial]), a_pool())
    assert seen is not None
    assert seen.reading is not None
    assert (seen.reading.held, seen.reading.headroom_min, seen.reading.headroom_max) == (12, 288, 300)
    assert seen.is_bound


def test_a_bound_never_exceeds_the_capacity() -> None:
    partial = a_namespace(remainder=Remainder(pools=7, held=20, max_held=5_000))
    seen = observe(a_snapshot(namespaces=[partial]), a_pool())
    assert seen is not None
    assert seen.reading is not None
    assert seen.reading.held == 300


def test_nothing_is_known_of_a_namespace_the_snapshot_lacks() -> None:
    assert observe(a_snapshot(a_reading()), a_pool(netns="container")) is None


def test_nothing_is_known_from_a_failure() -> None:
    assert observe(a_failure(), a_pool()) is None
