"""A slope that a few wild points cannot bend, and how sure it is: Theil and Sen's, on many windows at once. Pure.

The slope is the median of the slopes between all pairs of points (Theil 1950); its confidence bounds are the order
statistics of those slopes that Kendall's rank correlation allows (Sen, Journal of the American Statistical
Association 63, 1968). Nothing is assumed about how readings scatter.
"""

from typing import Final, NamedTuple

import numpy as np

from collector.forecast.past import POINTS, Floats

_FIRST, _SECOND = np.triu_indices(POINTS, 1)
Z: Final = 1.645
"""Bounds that hold the slope nine times out of ten, as far as the normal approximation goes."""


class Slopes(NamedTuple):
    """Ports a second for each window: nine times in ten between `low` and `high`. NaN where two points are missing."""

    low: Floats
    middle: Floats
    high: Floats
    points: Floats
    """How many points each window has."""
    span_s: Floats
    """From its first point to its last."""


def slopes(at_s: Floats, held: Floats) -> Slopes:
    """The slopes of windows, given as rows of points; missing points are NaN in both."""
    count = np.count_nonzero(~np.isnan(at_s), axis=1).astype(np.float64)
    run = at_s[:, _SECOND] - at_s[:, _FIRST]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.sort(np.where(run != 0, (held[:, _SECOND] - held[:, _FIRST]) / run, np.nan), axis=1)  # NaN sort last
        pairs = np.count_nonzero(~np.isnan(each), axis=1)
        spread = Z * np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        return Slopes(
            _at_rank(each, np.floor((pairs - spread) / 2), pairs),
            _at_rank(each, pairs // 2, pairs),
            _at_rank(each, np.ceil((pairs + spread) / 2), pairs),
            count,
            np.nan_to_num(np.fmax.reduce(at_s, axis=1) - np.fmin.reduce(at_s, axis=1)),
        )


def _at_rank(ordered: Floats, rank: Floats, pairs: Floats) -> Floats:
    """The value of each row at a rank; past the ends nothing is known, so the bound is the outermost value."""
    index = np.clip(rank, 0, np.maximum(pairs - 1, 0)).astype(np.int64)
    return np.take_along_axis(ordered, index[:, None], axis=1)[:, 0]
