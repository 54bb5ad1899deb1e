"""One pool's held ports over a window: min, mean and max a step, and honest gaps. Pure."""

from dataclasses import dataclass

import numpy as np

from collector.history.chunk import Ints
from collector.trends.window import Window

_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is known of a pool: at each of `times` it was read `count` times. All of one length; held in ports."""

    times: Ints
    count: Ints
    low: Ints
    total: Ints
    high: Ints
    capacity: Ints


@dataclass(frozen=True, slots=True)
class Point:
    """One step, beginning at `at_ms`. All None: nothing is known of it. `capacity` is the smallest seen."""

    at_ms: int
    min: int | None = None
    mean: float | None = None
    max: int | None = None
    capacity: int | None = None


class Series:
    """Takes what was held at each instant, in any order, and answers a point for every step of the window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._count = np.zeros(len(window), np.int64)
        self._total = np.zeros(len(window), np.int64)
        self._low = np.full(len(window), _MOST)
        self._high = np.zeros(len(window), np.int64)
        self._capacity = np.full(len(window), _MOST)

    def add(self, at_ms: int, held: int, capacity: int) -> None:
        """Count one instant in."""
        one = np.array([held])
        self.extend(Stretch(np.array([at_ms]), np.ones(1, np.int64), one, one, one, np.array([capacity])))

    def extend(self, known: Stretch) -> None:
        """Count a stretch in; what lies outside of the window's steps is left out."""
        window = self.window
        index = known.times // window.step_ms - window.from_ms // window.step_ms
        is_in = (index >= 0) & (index < len(window)) & (known.count > 0)
        index = index[is_in]
        np.add.at(self._count, index, known.count[is_in])
        np.add.at(self._total, index, known.total[is_in])
        np.minimum.at(self._low, index, known.low[is_in])
        np.maximum.at(self._high, index, known.high[is_in])
        np.minimum.at(self._capacity, index, known.capacity[is_in])

    def points(self) -> list[Point]:
        """The whole window, oldest first."""
        return [self._point(index) for index in range(len(self.window))]

    def _point(self, index: int) -> Point:
        at_ms, count = self.window.start_ms(index), int(self._count[index])
        if not count:
            return Point(at_ms)
        mean = round(int(self._total[index]) / count, 3)
        return Point(at_ms, int(self._low[index]), mean, int(self._high[index]), int(self._capacity[index]))
