"""What is kept over all hosts: each pool's peak by the hour, and how many pools were how full by the minute. Pure.

Peaks stand in blocks of BLOCK pools, two bytes each: 0 for a pool not seen, else one more than its scaled occupancy. A
block is brought up to date by the larger of two numbers, so doing it twice changes nothing. Histograms are counts:
what a chunk said before is taken off, what it says now is added.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import POOLS, Chunk, CorruptChunk, Ints
from collector.history.rollup import PEAK_SCALE, peaks_of
from collector.history.tiers import HOUR_MS, MINUTE_MS
from collector.history.zstd import deflate, inflate

BLOCK = 16_384
"""Pools a block: 32 KiB, less when compressed."""
BINS = 201
"""Half percents of occupancy; the last is for pools that are full."""
MINUTES = HOUR_MS // MINUTE_MS
_PEAKS_BYTES = 2 * BLOCK
_LEVEL = 1

Peaks = NDArray[np.uint16]
Place = tuple[int, int]
"""(hour in ms, number of a block)."""


def peaks_by_hour(chunk: Chunk) -> dict[Place, Peaks]:
    """The blocks a raw chunk has something to say about, as if it were alone."""
    table = chunk.tables[POOLS]
    made: dict[Place, Peaks] = {}
    if not len(table.keys):
        return made
    peaks = np.where(table.present, peaks_of(table.column("held"), table.column("capacity")) + 1, 0)
    hours = chunk.times - chunk.times % HOUR_MS
    for hour in np.unique(hours).tolist():
        highest = peaks[:, hours == hour].max(axis=1)
        for number in np.unique(table.keys // BLOCK).tolist():
            is_here = table.keys // BLOCK == number
            block = made[hour, number] = np.zeros(BLOCK, np.uint16)
            block[table.keys[is_here] % BLOCK] = highest[is_here]
    return made


def highest(blocks: Sequence[Mapping[Place, Peaks]]) -> dict[Place, Peaks]:
    """Blocks of several as one."""
    made: dict[Place, Peaks] = {}
    for some in blocks:
        for place, block in some.items():
            made[place] = np.maximum(made[place], block) if place in made else block
    return made


def histogram(chunk: Chunk) -> dict[int, Ints]:
    """By hour, (MINUTES, BINS) counts: each pool of a raw chunk by its highest occupancy within a minute."""
    table = chunk.tables[POOLS]
    if not len(table.keys):
        return {}
    peaks = np.where(table.present, peaks_of(table.column("held"), table.column("capacity")), -1)
    minutes, begins = np.unique(chunk.times // MINUTE_MS, return_index=True)
    by_minute = np.maximum.reduceat(peaks, begins, axis=1)
    made: dict[int, Ints] = {}
    for column, minute in enumerate(minutes.tolist()):
        seen = by_minute[:, column]
        counts = np.bincount(seen[seen >= 0] * (BINS - 1) // PEAK_SCALE, minlength=BINS)
        hour, place = divmod(minute, MINUTES)
        made.setdefault(hour * HOUR_MS, np.zeros((MINUTES, BINS), np.int64))[place] += counts
    return made


def difference(new: Mapping[int, Ints], old: Mapping[int, Ints]) -> dict[int, Ints]:
    """What to add to the histograms when a chunk that said `old` now says `new`."""
    nothing = np.zeros((MINUTES, BINS), np.int64)
    return {hour: new.get(hour, nothing) - old.get(hour, nothing) for hour in {*new, *old}}


def quantile(counts: Ints, share: float) -> float | None:
    """The occupancy that `share` of all counted do not exceed, to the half percent above; None where none is."""
    total = int(counts.sum())
    if not total:
        return None
    place = int(np.searchsorted(np.cumsum(counts), max(1, int(np.ceil(share * total)))))
    return min(1.0, (place + 1) / (BINS - 1))


# --- bytes -----------------------------------------------------------------------------------------------------------


def pack_peaks(block: Peaks) -> bytes:
    """A block as bytes."""
    return deflate(block.astype("<u2").tobytes(), _LEVEL)


def unpack_peaks(body: bytes) -> Peaks:
    """Undo `pack_peaks`. Raises CorruptChunk."""
    return np.frombuffer(_inflated(body, _PEAKS_BYTES), "<u2").astype(np.uint16, copy=False)


def pack_counts(counts: Ints) -> bytes:
    """Counts of an hour, or a row of them, as bytes."""
    return deflate(counts.astype("<u4").tobytes(), _LEVEL)


def unpack_counts(body: bytes, rows: int) -> Ints:
    """Undo `pack_counts`: (rows, BINS). Raises CorruptChunk."""
    return np.frombuffer(_inflated(body, 4 * rows * BINS), "<u4").reshape(rows, BINS).astype(np.int64)


def _inflated(body: bytes, size: int) -> bytes:
    data = inflate(body, size)
    if len(data) != size:
        raise CorruptChunk(f"{size} bytes were expected, not {len(data)}")
    return data
