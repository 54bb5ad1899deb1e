"""One pool's held ports, step by step."""

from collector.trends.series import Point, Series
from collector.trends.window import Window
from tests.builders import NOON_MS


def test_a_step_keeps_the_peak_beside_the_mean() -> None:
    """A mean alone hides the second in which connect() failed."""
    series = Series(Window(NOON_MS, NOON_MS + 10_000, 10_000))
    for at_s, held in ((0, 100), (1, 300), (2, 200)):
        series.add(NOON_MS + at_s * 1000, held, 300)
    assert series.points() == [Point(NOON_MS, 100, 200.0, 300, 300)]


def test_a_step_nobody_reported_in_is_a_gap() -> None:
    series = Series(Window(NOON_MS, NOON_MS + 30_000, 10_000))
    series.add(NOON_MS + 25_000, 7, 300)
    series.add(NOON_MS, 5, 300)
    assert [point.max for point in series.points()] == [5, None, 7]


def test_order_does_not_matter() -> None:
    window = Window(NOON_MS, NOON_MS + 10_000, 5_000)
    forward, backward = Series(window), Series(window)
    samples = [(NOON_MS + at, held) for at, held in ((0, 3), (1, 9), (6_000, 4))]
    for at_ms, held in samples:
        forward.add(at_ms, held, 300)
    for at_ms, held in reversed(samples):
        backward.add(at_ms, held, 300)
    assert forward.points() == backward.points()
