"""Which pools came closest to their end, from their peaks by the hour. Pure."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import CorruptChunk
from collector.history.fleet import BLOCK, Peaks, unpack_peaks
from collector.history.rollup import PEAK_SCALE

Blocks: TypeAlias = Sequence[tuple[int, int, bytes]]
"""(hour in ms, number of the block, packed block)."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A pool's highest occupancy (0.0 to 1.0, rounded up) and the hour it was reached in."""

    number: int
    occupancy: float
    hour_ms: int


@dataclass(frozen=True, slots=True)
class Climb:
    """A pool's highest occupancy in the earlier and in the later half of a window."""

    number: int
    before: float
    after: float


class Highest:
    """The highest occupancy of each pool over some hours. Hours whose block cannot be read are in `damaged`."""

    def __init__(self, blocks: Blocks) -> None:
        self.damaged: list[int] = []
        self._hours: dict[int, list[tuple[int, Peaks]]] = defaultdict(list)
        for hour_ms, number, body in blocks:
            try:
                peaks = unpack_peaks(body)
            except CorruptChunk:
                self.damaged.append(hour_ms)
            else:
                self._hours[number].append((hour_ms, peaks))

    def top(self, limit: int, *, among: Collection[int] | None = None) -> list[Peak]:
        """The highest, at most `limit` of them, among all pools or these only."""
        numbers, peaks = self.all(among)
        best = _largest(peaks, limit)
        return [self._peak(number, peak) for number, peak in zip(numbers[best], peaks[best], strict=True)]

    def all(self, among: Collection[int] | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(numbers, peaks from 1 on) of every pool that was seen, or of these only."""
        numbers, peaks = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for block, hours in self._hours.items():
            highest = hours[0][1].copy()
            for _, one in hours[1:]:
                np.maximum(highest, one, out=highest)
            seen = highest.nonzero()[0]
            numbers.append(seen + block * BLOCK)
            peaks.append(highest[seen].astype(np.int64))
        seen_numbers, seen_peaks = np.concatenate(numbers), np.concatenate(peaks)
        if among is None:
            return seen_numbers, seen_peaks
        is_asked = np.isin(seen_numbers, list(among))
        return seen_numbers[is_asked], seen_peaks[is_asked]

    def _peak(self, number: int, peak: int) -> Peak:
        block, place = divmod(int(number), BLOCK)
        hour_ms = min(hour_ms for hour_ms, one in self._hours[block] if one[place] == peak)
        return Peak(int(number), _occupancy(peak), hour_ms)


def climbers(before: Highest, after: Highest, limit: int, *, among: Collection[int] | None = None) -> list[Climb]:
    """The pools whose peak rose most from one window to the next, among those seen in both (and in `among`)."""
    old_numbers, old = before.all(among)
    new_numbers, new = after.all(among)
    numbers, left, right = np.intersect1d(old_numbers, new_numbers, assume_unique=True, return_indices=True)
    rise = new[right] - old[left]
    best = [index for index in _largest(rise, limit) if rise[index] > 0]
    return [Climb(int(numbers[i]), _occupancy(old[left[i]]), _occupancy(new[right[i]])) for i in best]


def _largest(values: NDArray[np.int64], limit: int) -> NDArray[np.intp]:
    """Where the largest are, largest first."""
    if len(values) > limit:
        found = np.argpartition(values, -limit)[-limit:]
        return found[np.argsort(-values[found], kind="stable")]
    return np.argsort(-values, kind="stable")


def _occupancy(peak: int) -> float:
    return round((int(peak) - 1) / PEAK_SCALE, 6)
