"""What was seen of one pool, thinned the further back it lies, in some 25 KiB. Pure but for its own memory.

A burst takes seconds and a leak takes days, so the past is kept on a ladder of rungs: each looks back twice as far as
the one before, or thereabouts, with the same number of points, each the mean of the readings in its stretch of time.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

RUNGS_S: Final = np.array([4, 8, 15, 30, 60, 120, 240, 480, 900, 1_800, 3_600, 7_200, 14_400], dtype=np.float64)
"""How far back each rung looks, in seconds."""
POINTS: Final = 24
"""Stretches a rung: enough that a robust slope stands three wild points, few enough that all pairs cost little."""
STRETCH_S: Final = RUNGS_S / POINTS
PEAK_STRETCH_S: Final = 300
PEAKS: Final = 2_016
"""The highest reading of every five minutes of a week: weekends differ, and what happens weekly is no news."""

Floats = npt.NDArray[np.float64]
_NEVER: Final = -1


class Past:
    """What was seen of one pool. Times are seconds on any clock that only moves forward, such as receive time."""

    __slots__ = ("_at", "_held", "_peak", "_peak_stretch", "_seen", "_stretch", "last_s")

    def __init__(self) -> None:
        shape = (len(RUNGS_S), POINTS)
        self._stretch = np.full(shape, _NEVER, dtype=np.int64)
        self._at = np.zeros(shape, dtype=np.float64)
        self._held = np.zeros(shape, dtype=np.float64)
        self._seen = np.zeros(shape, dtype=np.int32)
        self._peak_stretch = np.full(PEAKS, -PEAKS - 1, dtype=np.int32)
        self._peak = np.zeros(PEAKS, dtype=np.int32)
        self.last_s = float("-inf")
        """When the latest reading was."""

    def add(self, at_s: float, held: int) -> None:
        """Note that `held` ports were held at `at_s`. A reading older than the latest changes nothing."""
        if at_s <= self.last_s:
            return
        self.last_s = at_s
        stretch = np.floor(at_s / STRETCH_S).astype(np.int64)
        rung = np.arange(len(RUNGS_S))
        slot = stretch % POINTS
        is_new = self._stretch[rung, slot] != stretch
        self._stretch[rung, slot] = stretch
        self._seen[rung, slot] = np.where(is_new, 1, self._seen[rung, slot] + 1)
        share = 1.0 / self._seen[rung, slot]
        for means, value in ((self._at, at_s), (self._held, float(held))):
            kept = np.where(is_new, value, means[rung, slot])
            means[rung, slot] = kept + (value - kept) * share
        self._note_peak(int(at_s // PEAK_STRETCH_S), held)

    def points(self) -> tuple[Floats, Floats]:
        """(seconds before the latest reading, ≤ 0; ports held), each [rung, point]; NaN where nothing was seen."""
        newest = np.floor(self.last_s / STRETCH_S).astype(np.int64)[:, None]
        is_recent = (self._stretch > newest - POINTS) & (self._stretch != _NEVER)
        return np.where(is_recent, self._at - self.last_s, np.nan), np.where(is_recent, self._held, np.nan)

    def peaks_before(self, ago_s: Floats, below: float) -> npt.NDArray[np.int32]:
        """For each of `ago_s`: the highest `held` below `below` in the last week but before then; 0 where none was."""
        latest = int(self.last_s // PEAK_STRETCH_S)
        age = latest - self._peak_stretch
        by_age = np.zeros(PEAKS + 1, dtype=np.int32)
        is_meant = (age < PEAKS) & (self._peak < below)
        by_age[age[is_meant]] = self._peak[is_meant]
        older = np.maximum.accumulate(by_age[::-1])[::-1]
        # A stretch in which the moment itself lies is not before it.
        first = np.minimum(latest - np.floor((self.last_s - ago_s) / PEAK_STRETCH_S).astype(np.int64) + 1, PEAKS)
        highest: npt.NDArray[np.int32] = older[first]
        return highest

    def _note_peak(self, stretch: int, held: int) -> None:
        slot = stretch % PEAKS
        if self._peak_stretch[slot] != stretch:
            self._peak_stretch[slot], self._peak[slot] = stretch, held
        self._peak[slot] = max(self._peak[slot], held)
