"""The evaluation's benchmark measures what it says."""

from benchmarks.evaluation import a_body, measure
from shared import wire


def test_the_share_of_hot_pools_is_as_asked() -> None:
    readings = [reading for number in range(20) for reading in wire.decode(a_body(number, 50, 0.1, warm=0.0)).readings]
    assert sum(reading.occupancy > 0.85 for reading in readings) == len(readings) // 10


def test_a_glance_is_enough_for_calm_hosts_and_for_no_other() -> None:
    assert measure(20, 50, 0.0, warm=0.0).glanced == 20
    assert measure(20, 50, 0.1, warm=0.0).glanced == 0
