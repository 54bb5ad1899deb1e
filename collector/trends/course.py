"""How full pools were hour by hour, from the peaks kept over all hosts. Pure."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from collector.history.chunk import CorruptChunk
from collector.history.fleet import BLOCK, unpack_peaks
from collector.history.rollup import PEAK_SCALE
from collector.history.tiers import HOUR_MS
from collector.trends.peaks import Blocks

Course = Sequence[float | None]
"""Occupancies (0.0 to 1.0), oldest first; None where nothing is known."""


def courses(blocks: Blocks, numbers: Collection[int], hours: Sequence[int]) -> dict[int, Course]:
    """Of each pool its highest occupancy in each of these hours (their beginnings in ms, one after another)."""
    wanted = np.array(sorted(numbers), np.int64)
    found = np.zeros((len(wanted), len(hours)), np.int64)
    for hour_ms, block, body in blocks:
        is_here = wanted // BLOCK == block
        column = (hour_ms - hours[0]) // HOUR_MS
        if not (is_here.any() and 0 <= column < len(hours)):
            continue
        try:
            peaks = unpack_peaks(body)
        except CorruptChunk:
            continue  # An hour that cannot be read is unknown.
        found[is_here, column] = peaks[wanted[is_here] % BLOCK]
    return {int(number): [_occupancy(one) for one in row] for number, row in zip(wanted, found.tolist(), strict=True)}


def fullest(several: Collection[Course]) -> Course:
    """The highest of all at each hour."""
    return [max((one for one in hour if one is not None), default=None) for hour in zip(*several, strict=True)]


def by_host(found: Mapping[int, Course], numbers: Mapping[str, Collection[int]]) -> dict[str, Course]:
    """Of each host (name to its pools' numbers) its fullest pool, hour by hour."""
    return {host: fullest([found[one] for one in pools if one in found]) for host, pools in numbers.items()}


def _occupancy(peak: int) -> float | None:
    return (peak - 1) / PEAK_SCALE if peak else None
