"""A pool over time as a drawing: ports held by state against capacity, what is unknown hatched, what happened marked.

Drawn by matplotlib as SVG, so that a browser needs no script to see it. Not an event loop's work: call it in a thread.
"""

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import nan
from typing import cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

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
    states: Sequence[str]
    """Fillings of BANDS, in their order."""


THEMES = {
    "light": Theme(
        "#fdfdfc", "#1d2126", "#5c6570", "#1a4a80", "#8a5800", "#b3261e", ("#5b8fcb", "#a48bd0", "#d98a55", "#a9b1b9")
    ),
    "dark": Theme(
        "#14171a", "#e6e8ea", "#9aa4ae", "#a9cdf5", "#e0a63c", "#ff8a80", ("#3a6ea8", "#75599f", "#a4602c", "#59636d")
    ),
}
BANDS = (("ESTABLISHED", ""), ("TIME_WAIT", "...."), ("CLOSE_WAIT", "xxxx"), ("other, or not told apart", ""))
"""States from the ground up, each with a pattern: they are told apart without colour. Roll-ups keep TIME_WAIT only."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of the drawing in inches, and where the axes lie in it from left to right (0 to 1)."""

    width: float
    height: float
    left: float
    right: float
    font: float = 8.0

    @property
    def is_narrow(self) -> bool:
        """Whether little fits beside each other."""
        return self.width < 2 * self.height


SIZES = {"wide": Size(9.6, 3.8, 0.075, 0.985), "small": Size(4.6, 4.2, 0.15, 0.97)}


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
    """All that is drawn. Points are a step apart, oldest first; `states` of each where they are known."""

    points: Sequence[Point]
    step_ms: int
    states: Sequence[Mapping[str, int]] = ()
    marks: Sequence[Mark] = ()
    outlook: Outlook | None = None


def draw(drawing: Drawing, theme: Theme, zone: tzinfo, size: Size = SIZES["wide"]) -> bytes:
    """The drawing as an SVG document, its times told in that zone."""
    with canvas(theme, size) as axes:
        times = [instant(point.at_ms, zone) for point in drawing.points]
        times.append(instant(drawing.points[-1].at_ms + drawing.step_ms, zone))
        _held(axes, times, drawing, theme)
        _limits(axes, times, drawing, theme, zone)
        unknown(axes, times, [point.max is not None for point in drawing.points], theme)
        _marks(axes, drawing.marks, theme, zone)
        if drawing.outlook:
            _outlook(axes, drawing, theme, zone)
        axes.set_xlim(times[0], instant(shown_until_ms(drawing), zone))  # type: ignore[arg-type]  # Its stubs leave out datetimes.
        axes.set_ylim(top=axes.get_ylim()[1] * 1.04)
        return finished(axes, f"ports, {zone}", theme, zone, size)


@contextmanager
def canvas(theme: Theme, size: Size) -> Iterator[Axes]:
    """Axes to draw on, by one thread at a time."""
    with _LOCK:
        figure = Figure(figsize=(size.width, size.height), facecolor=theme.ground)
        figure.subplots_adjust(left=size.left, right=size.right, top=0.74 if size.is_narrow else 0.84, bottom=0.13)
        yield figure.add_subplot(facecolor=theme.ground)


def finished(axes: Axes, title: str, theme: Theme, zone: tzinfo, size: Size) -> bytes:
    """The drawing with its scales and legend, as an SVG document."""
    _style(axes, title, theme, zone, size)
    file = io.BytesIO()
    cast("Figure", axes.figure).savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def shown_until_ms(drawing: Drawing) -> int:
    """Where the drawing ends on the right: a forecast takes up to a third of the window more."""
    return ends_ms(drawing.points[0].at_ms, drawing.points[-1].at_ms + drawing.step_ms, drawing.outlook)


def ends_ms(from_ms: int, to_ms: int, outlook: Outlook | None) -> int:
    """The same, of a window."""
    if outlook is None:
        return to_ms
    return max(to_ms, outlook.at_ms + min(round(outlook.latest_s * 1000), (to_ms - from_ms) // 3))


def _held(axes: Axes, times: Sequence[datetime], drawing: Drawing, theme: Theme) -> None:
    low, high = (_column(drawing.points, name) for name in ("min", "max"))
    below = [0.0] * len(times)
    for (name, pattern), colour, parts in zip(
        BANDS, theme.states, stacked(drawing.points, drawing.states), strict=True
    ):
        if any(parts):
            above = [under + part for under, part in zip(below, [*parts, parts[-1]], strict=True)]
            band = axes.fill_between(times, below, above, step="post", label=name)  # type: ignore[arg-type]
            band.set(facecolor=colour, edgecolor=theme.ground, linewidth=0.4, hatch=pattern or None)
            below = above
    axes.step(times, high, where="post", color=theme.held, linewidth=1.4, label="held (peak)")  # type: ignore[arg-type]
    if any(point.min != point.max for point in drawing.points):
        axes.step(times, low, where="post", color=theme.held, linewidth=0.9, linestyle=":", label="held (lowest)")  # type: ignore[arg-type]


def stacked(points: Sequence[Point], states: Sequence[Mapping[str, int]]) -> list[list[float]]:
    """Of each of BANDS, ports at each point; they add up to the peak, and are nothing where nothing is known."""
    named = [name for name, _ in BANDS[:-1]]
    bands: list[list[float]] = [[] for _ in BANDS]
    for index, point in enumerate(points):
        left = float(point.max or 0)
        for band, name in zip(bands, named, strict=False):
            part = min(left, float(states[index].get(name, 0))) if states else 0.0
            band.append(part)
            left -= part
        bands[-1].append(left)
    return bands


def _limits(axes: Axes, times: Sequence[datetime], drawing: Drawing, theme: Theme, zone: tzinfo) -> None:
    """Capacity, and the bands below it; they go on as far as a forecast does."""
    capacity = _column(drawing.points, "capacity")
    until = [*times, instant(shown_until_ms(drawing), zone)]
    warm, hot, full = ([share * one for one in (*capacity, capacity[-1])] for share in (WARM, HOT, 1.0))
    axes.step(until, full, where="post", color=theme.ink, linewidth=1.4, label="capacity")  # type: ignore[arg-type]
    for share, name, colour, style, low, high in (
        (WARM, "warning", theme.warm, ":", warm, hot),
        (HOT, "critical", theme.hot, "--", hot, full),
    ):
        label = f"{name} from {share:.0%}"
        band = axes.fill_between(until, low, high, step="post", alpha=0.09)  # type: ignore[arg-type]
        band.set(facecolor=colour, linewidth=0, zorder=0.5)
        axes.step(until, low, where="post", color=colour, linestyle=style, linewidth=1.1, label=label)  # type: ignore[arg-type]


def unknown(axes: Axes, times: Sequence[datetime], is_known: Sequence[bool], theme: Theme) -> None:
    """Hatch each stretch of which nothing is known; `times` has one more, the end."""
    for number, (first, end) in enumerate(gaps(is_known)):
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


def gaps(is_known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """[first, end) of each run of points of which nothing is known."""
    first: int | None = None
    for index, known in enumerate(is_known):
        if not known and first is None:
            first = index
        elif known and first is not None:
            yield first, index
            first = None
    if first is not None:
        yield first, len(is_known)


def _marks(axes: Axes, marks: Sequence[Mark], theme: Theme, zone: tzinfo) -> None:
    for mark in marks:
        colour, style = (theme.hot, "-") if mark.is_bad else (theme.soft, "-.")
        at = instant(mark.at_ms, zone)
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
            bbox={"facecolor": theme.ground, "edgecolor": "none", "alpha": 0.75, "pad": 1},
            parse_math=False,
        )


def _outlook(axes: Axes, drawing: Drawing, theme: Theme, zone: tzinfo) -> None:
    """The likely line, and where 9 in 10 would lie."""
    outlook, capacity = drawing.outlook, drawing.points[-1].capacity
    if outlook is None or capacity is None:
        return
    end_ms = shown_until_ms(drawing)

    def held(at_ms: int, spent_s: float) -> float:
        share = (at_ms - outlook.at_ms) / 1000 / max(spent_s, 1)
        return min(capacity, outlook.held + (capacity - outlook.held) * share)

    steps = [outlook.at_ms + (end_ms - outlook.at_ms) * number // 40 for number in range(41)]
    times = [instant(at_ms, zone) for at_ms in steps]
    slow, likely, fast = (
        [held(at_ms, one) for at_ms in steps] for one in (outlook.latest_s, outlook.s, outlook.earliest_s)
    )
    axes.fill_between(times, slow, fast, color=theme.hot, alpha=0.3, linewidth=0, label="forecast, 9 in 10")  # type: ignore[arg-type]
    axes.plot(times, likely, color=theme.hot, linewidth=1.6, linestyle="-.", label="forecast")  # type: ignore[arg-type]


def _style(axes: Axes, title: str, theme: Theme, zone: tzinfo, size: Size) -> None:
    # With two ticks at least, five at most always fit some interval; without, it warns of ranges that have none.
    locator = AutoDateLocator(tz=zone, **({"minticks": 2, "maxticks": 5} if size.is_narrow else {}))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(bottom=0)
    axes.set_title(title, color=theme.soft, fontsize=size.font, loc="right")
    axes.tick_params(colors=theme.ink, labelsize=size.font)
    axes.xaxis.get_offset_text().set_color(theme.ink)
    axes.grid(color=theme.soft, alpha=0.25, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(theme.soft)
    legend = axes.figure.legend(
        loc="upper left", fontsize=size.font - 0.5, ncols=2 if size.is_narrow else 5, frameon=False
    )
    for text in legend.get_texts():
        text.set_color(theme.ink)


def _column(points: Sequence[Point], name: str) -> list[float]:
    values = [nan if getattr(point, name) is None else float(getattr(point, name)) for point in points]
    return [*values, values[-1]]


def instant(at_ms: int, zone: tzinfo) -> datetime:
    """The time as matplotlib takes it."""
    return datetime.fromtimestamp(at_ms / 1000, zone)
