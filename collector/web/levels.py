"""How full the fleet's pools were over time, as a drawing: quantiles, and hatching where nothing is known."""

from collections.abc import Sequence
from datetime import tzinfo
from math import nan

from collector.trends.rank import Level
from collector.web.chart import Size, Theme, canvas, finished, instant, unknown

SHARES = (0.5, 0.9, 0.99, 1.0)
_NAMES = ("half of the pools", "9 in 10", "99 in 100", "the fullest")
_STYLES = (":", "-.", "--", "-")


def draw_levels(found: Sequence[Level], step_ms: int, theme: Theme, zone: tzinfo, size: Size) -> bytes:
    """Quantiles (in the order of SHARES) step by step, as an SVG document."""
    with canvas(theme, size) as axes:
        times = [instant(level.at_ms, zone) for level in found]
        times.append(instant(found[-1].at_ms + step_ms, zone))
        for index, (name, style) in enumerate(zip(_NAMES, _STYLES, strict=True)):
            shares = [level.quantiles[index] for level in found]
            column = [nan if one is None else 100 * one for one in (*shares, shares[-1])]
            colour = theme.hot if name == _NAMES[-1] else theme.held
            axes.step(times, column, where="post", color=colour, linestyle=style, linewidth=1.4, label=name)  # type: ignore[arg-type]
        unknown(axes, times, [any(one is not None for one in level.quantiles) for level in found], theme)
        axes.set_xlim(times[0], times[-1])  # type: ignore[arg-type]  # Its stubs leave out datetimes.
        axes.set_ylim(top=100)
        return finished(axes, f"% of capacity held, {zone}", theme, zone, size)
