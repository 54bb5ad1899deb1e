"""One pool's held ports over a window: min, mean and max a step, and honest gaps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

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


def joined(stretches: Sequence[Stretch]) -> Stretch:
    """Several, at least one, as one: numpy takes as long to be called as it takes for hundreds of numbers."""
    return Stretch(*(np.concatenate([getattr(one, name.name) for one in stretches]) for name in fields(Stretch)))


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
        columns = (self._count, self._low, self._total, self._high, self._capacity)
        known = zip(*(column.tolist() for column in columns), strict=True)
        starts = range(self.window.start_ms(0), self.window.start_ms(len(self.window)), self.window.step_ms)
        return [
            Point(at_ms, low, round(total / count, 3), high, capacity) if count else Point(at_ms)
            for at_ms, (count, low, total, high, capacity) in zip(starts, known, strict=True)
        ]
