"""How soon a notice comes."""

from benchmarks.alerting import measure, percentiles


def test_every_crossing_is_told() -> None:
    assert len(measure(2, pause_s=0.0)) == 2


def test_percentiles_are_of_the_delays() -> None:
    middle, most, worst = percentiles([1.0] * 99 + [5.0])
    assert (middle, worst) == (1.0, 5.0)
    assert 1.0 <= most <= 5.0
