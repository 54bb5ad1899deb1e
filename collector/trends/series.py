"""One pool's held ports over a window: min, mean and max a step, and honest gaps. Pure."""

from dataclasses import dataclass

from collector.trends.window import Window


@dataclass(slots=True)
class _Sums:
    count: int = 0
    total: int = 0
    low: int = 0
    high: int = 0
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One step, beginning at `at_ms`. All None: nothing is known of it."""

    at_ms: int
    min: int | None = None
    mean: float | None = None
    max: int | None = None
    capacity: int | None = None


class Series:
    """Takes what was held at each instant, in any order, and answers a point for every step of the window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._steps: dict[int, _Sums] = {}

    def add(self, at_ms: int, held: int, capacity: int) -> None:
        """Count one instant in."""
        sums = self._steps.setdefault(self.window.index(at_ms), _Sums(low=held))
        sums.count += 1
        sums.total += held
        sums.low, sums.high = min(sums.low, held), max(sums.high, held)
        sums.capacity = capacity

    def points(self) -> list[Point]:
        """The whole window, oldest first."""
        return [self._point(index) for index in range(len(self.window))]

    def _point(self, index: int) -> Point:
        sums = self._steps.get(index)
        at_ms = self.window.start_ms(index)
        if sums is None:
            return Point(at_ms)
        return Point(at_ms, sums.low, round(sums.total / sums.count, 3), sums.high, sums.capacity)
