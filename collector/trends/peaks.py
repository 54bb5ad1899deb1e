"""Which pools came closest to their end, from their peaks by the hour. Pure."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import CorruptChunk, Ints
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
        hours: dict[int, list[tuple[int, Peaks]]] = defaultdict(list)
        for hour_ms, number, body in blocks:
            try:
                peaks = unpack_peaks(body)
            except CorruptChunk:
                self.damaged.append(hour_ms)
            else:
                hours[number].append((hour_ms, peaks))
        self._hours = dict(sorted(hours.items()))
        self.blocks = np.array(list(self._hours), np.int64)
        """Numbers of the blocks that were read, ascending."""
        self.peaks = np.zeros((len(self._hours), BLOCK), np.uint16)
        """A row a block: 0 for a pool not seen, else its highest peak, from 1 on."""
        for row, mine in zip(self.peaks, self._hours.values(), strict=True):
            for _, peaks in mine:
                np.maximum(row, peaks, out=row)

    def top(self, limit: int, *, among: Collection[int] | None = None) -> list[Peak]:
        """The highest, at most `limit` of them, among all pools or these only; of equal ones the lower number first."""
        places = None if among is None else _places(self.blocks, among)
        flat = self.peaks.reshape(-1) if places is None else self.peaks.reshape(-1)[places]
        best = _largest(flat, limit)
        found = best[flat[best] > 0]
        numbers = _numbers(self.blocks, found if places is None else places[found])
        return [self._peak(number, peak) for number, peak in zip(numbers.tolist(), flat[found].tolist(), strict=True)]

    def seen(self, among: Collection[int] | None = None) -> Ints:
        """Numbers of the pools that were seen at all, or of those among these, ascending."""
        places = np.flatnonzero(self.peaks)
        if among is not None:
            places = np.intersect1d(places, _places(self.blocks, among), assume_unique=True)
        return _numbers(self.blocks, places)

    def _peak(self, number: int, peak: int) -> Peak:
        block, place = divmod(number, BLOCK)
        hour_ms = min(hour_ms for hour_ms, one in self._hours[block] if one[place] == peak)
        return Peak(number, _occupancy(peak), hour_ms)


def climbers(before: Highest, after: Highest, limit: int, *, among: Collection[int] | None = None) -> list[Climb]:
    """The pools whose peak rose most from one window to the next, among those seen in both (and in `among`)."""
    blocks, rows, later = np.intersect1d(before.blocks, after.blocks, assume_unique=True, return_indices=True)
    old, new = before.peaks[rows].reshape(-1), after.peaks[later].reshape(-1)
    places = np.arange(len(old)) if among is None else _places(blocks, among)
    old, new = old[places].astype(np.int32), new[places].astype(np.int32)
    rise = np.where((old > 0) & (new > 0), new - old, 0)
    best = _largest(rise, limit)
    best = best[rise[best] > 0]
    found = zip(_numbers(blocks, places[best]).tolist(), old[best].tolist(), new[best].tolist(), strict=True)
    return [Climb(number, _occupancy(was), _occupancy(now)) for number, was, now in found]


def _places(blocks: Ints, among: Collection[int]) -> NDArray[np.intp]:
    """Where these pools stand in rows of those blocks, ascending; what is in none of them is left out."""
    numbers = np.unique(np.fromiter(among, np.int64, len(among)))
    rows = np.searchsorted(blocks, numbers // BLOCK)
    is_there = np.isin(numbers // BLOCK, blocks)
    return (rows * BLOCK + numbers % BLOCK)[is_there]


def _numbers(blocks: Ints, places: NDArray[np.intp]) -> Ints:
    """Undo `_places`."""
    return blocks[places // BLOCK] * BLOCK + places % BLOCK


def _largest(values: NDArray[np.integer[Any]], limit: int) -> NDArray[np.intp]:
    """Where the largest are, largest first, of equal ones the earlier first."""
    found = np.arange(len(values))
    if len(values) > limit:
        least = np.partition(values, -limit)[-limit]
        above = np.flatnonzero(values > least)
        found = np.concatenate([above, np.flatnonzero(values == least)[: limit - len(above)]])
    return found[np.argsort(-values[found].astype(np.int64), kind="stable")]


def _occupancy(peak: int) -> float:
    return round((peak - 1) / PEAK_SCALE, 6)
