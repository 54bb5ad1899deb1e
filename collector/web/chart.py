"""A pool over time as a drawing: held ports against capacity, what is unknown hatched, what happened marked.

Drawn by matplotlib as SVG, so that a browser needs no script to see it. Not an event loop's work: call it in a thread.
"""

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import nan

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from collector.trends.series import Point
from collector.web.view import HOT, WARM

mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["font.sans-serif"] = ["DejaVu Sans"]
_LOCK = threading.Lock()
"""matplotlib keeps fonts and settings for the whole process and guards neither."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one scheme; each has a contrast of 3 to 1 or more on the ground."""

    ground: str
    ink: str
    soft: str
    held: str
    warm: str
    hot: str


THEMES = {
    "light": Theme("#fdfdfc", "#1d2126", "#5c6570", "#2563a8", "#8a5800", "#b3261e"),
    "dark": Theme("#14171a", "#e6e8ea", "#9aa4ae", "#7ab3f0", "#e0a63c", "#ff8a80"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. `is_bad`: it began then; otherwise it ended."""

    at_ms: int
    text: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """From `held` at `at_ms` until spent, in seconds: most likely, and 9 times in 10 between the others."""

    at_ms: int
    held: int
    earliest_s: float
    s: float
    latest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All that is drawn. Points are a step apart, oldest first."""

    points: Sequence[Point]
    step_ms: int
    marks: Sequence[Mark] = ()
    outlook: Outlook | None = None


def draw(drawing: Drawing, theme: Theme, zone: tzinfo) -> bytes:
    """The drawing as an SVG document, its times told in that zone."""
    with _LOCK:
        figure = Figure(figsize=(9.6, 3.4), facecolor=theme.ground, layout="constrained")
        axes = figure.add_subplot(facecolor=theme.ground)
        times = [_at(point.at_ms, zone) for point in drawing.points]
        times.append(_at(drawing.points[-1].at_ms + drawing.step_ms, zone))
        _held(axes, times, drawing.points, theme)
        _unknown(axes, times, drawing.points, theme)
        _marks(axes, drawing.marks, theme, zone)
        axes.set_xlim(times[0], times[-1])  # type: ignore[arg-type]  # Its stubs leave out datetimes.
        if drawing.outlook:
            _outlook(axes, drawing, theme, zone)
        _style(axes, theme, zone)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()


def _held(axes: Axes, times: Sequence[datetime], points: Sequence[Point], theme: Theme) -> None:
    low, high, capacity = (_column(points, name) for name in ("min", "max", "capacity"))
    axes.fill_between(times, 0, low, step="post", color=theme.held, alpha=0.35, linewidth=0)  # type: ignore[arg-type]
    axes.fill_between(times, low, high, step="post", color=theme.held, alpha=0.6, linewidth=0)  # type: ignore[arg-type]
    axes.step(times, high, where="post", color=theme.held, linewidth=1.4, label="held (peak)")  # type: ignore[arg-type]
    axes.step(times, capacity, where="post", color=theme.ink, linewidth=1.2, label="capacity")  # type: ignore[arg-type]
    for share, colour, style in ((WARM, theme.warm, ":"), (HOT, theme.hot, "--")):
        level = [share * one for one in capacity]
        name = f"{share:.0%}"
        axes.step(times, level, where="post", color=colour, linestyle=style, linewidth=1, label=name)  # type: ignore[arg-type]


def _unknown(axes: Axes, times: Sequence[datetime], points: Sequence[Point], theme: Theme) -> None:
    for number, (first, end) in enumerate(gaps(points)):
        name = "unknown" if number == 0 else "_"
        axes.axvspan(
            times[first],  # type: ignore[arg-type]
            times[end],  # type: ignore[arg-type]
            facecolor="none",
            edgecolor=theme.soft,
            hatch="///",
            alpha=0.5,
            linewidth=0,
            label=name,
        )


def gaps(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """[first, end) of each run of points of which nothing is known."""
    first: int | None = None
    for index, point in enumerate(points):
        if point.max is None and first is None:
            first = index
        elif point.max is not None and first is not None:
            yield first, index
            first = None
    if first is not None:
        yield first, len(points)


def _marks(axes: Axes, marks: Sequence[Mark], theme: Theme, zone: tzinfo) -> None:
    for mark in marks:
        colour, style = (theme.hot, "-") if mark.is_bad else (theme.soft, "-.")
        at = _at(mark.at_ms, zone)
        axes.axvline(at, color=colour, linestyle=style, linewidth=1)  # type: ignore[arg-type]
        # Names of rules are text: a dollar must not begin a formula.
        axes.annotate(
            mark.text,
            (at, 1),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            color=colour,
            fontsize=7,
            parse_math=False,
        )


def _outlook(axes: Axes, drawing: Drawing, theme: Theme, zone: tzinfo) -> None:
    outlook, capacity = drawing.outlook, drawing.points[-1].capacity
    if outlook is None or capacity is None:
        return
    span_ms = drawing.step_ms * len(drawing.points)
    end_ms = outlook.at_ms + min(round(outlook.latest_s * 1000), span_ms // 3)
    held = [
        [outlook.held, min(capacity, outlook.held + (capacity - outlook.held) * (end_ms - outlook.at_ms) / 1000 / one)]
        for one in (max(outlook.latest_s, 1), max(outlook.earliest_s, 1))
    ]
    times = [_at(outlook.at_ms, zone), _at(end_ms, zone)]
    likely = min(end_ms, outlook.at_ms + round(outlook.s * 1000))
    spent = outlook.held + (capacity - outlook.held) * (likely - outlook.at_ms) / max(1, outlook.s * 1000)
    line = [times[0], _at(likely, zone)]
    axes.plot(line, [outlook.held, spent], color=theme.hot, linewidth=1.6, linestyle="--", label="forecast")  # type: ignore[arg-type]
    axes.fill_between(times, *held, color=theme.hot, alpha=0.3, linewidth=0)  # type: ignore[arg-type]
    axes.set_xlim(right=times[-1])  # type: ignore[arg-type]


def _style(axes: Axes, theme: Theme, zone: tzinfo) -> None:
    locator = AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.12)  # Room for the legend.
    axes.set_ylabel("ports", color=theme.soft)
    axes.set_xlabel(str(zone), color=theme.soft, fontsize=8)
    axes.tick_params(colors=theme.ink, labelsize=8)
    axes.xaxis.get_offset_text().set_color(theme.ink)
    axes.grid(color=theme.soft, alpha=0.25, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(theme.soft)
    legend = axes.legend(loc="upper left", fontsize=7, ncols=6, facecolor=theme.ground, edgecolor="none")
    for text in legend.get_texts():
        text.set_color(theme.ink)


def _column(points: Sequence[Point], name: str) -> list[float]:
    values = [nan if getattr(point, name) is None else float(getattr(point, name)) for point in points]
    return [*values, values[-1]]


def _at(at_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)
