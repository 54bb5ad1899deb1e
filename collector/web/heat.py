"""Occupancies as cells of a map and as a line beside a row: numbers and shapes, not colours alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.trends.course import Course

EDGES = (0.25, 0.50, 0.70, 0.85, 0.95)
"""Where a cell's shade changes."""
WIDTH, HEIGHT = 100, 20
"""Of a line, in its own units."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`shade` from 0 to 5, or `unknown`; `text` a percentage, rounded down, or `?`."""

    shade: str
    text: str


@dataclass(frozen=True, slots=True)
class Spark:
    """Lines through what is known, each as an SVG's points; `words` say the same."""

    lines: Sequence[str]
    words: str


def cells(course: Course) -> list[Cell]:
    """A cell an hour."""
    return [
        Cell("unknown", "?") if one is None else Cell(str(sum(one >= edge for edge in EDGES)), f"{int(one * 100)}")
        for one in course
    ]


def spark(course: Course) -> Spark:
    """The course as lines; a gap stays one."""
    runs: list[list[str]] = [[]]
    for index, one in enumerate(course):
        if one is None:
            runs.append([])
        else:
            across = index * WIDTH / max(1, len(course) - 1)
            runs[-1].append(f"{across:.1f},{HEIGHT - 1 - min(1.0, one) * (HEIGHT - 2):.1f}")
    known = [one for one in course if one is not None]
    words = f"between {int(min(known) * 100)} and {int(max(known) * 100)} % in 24 h" if known else "unknown"
    return Spark([" ".join([*run, run[0]] if len(run) == 1 else run) for run in runs if run], words)
