"""What it costs to do nothing until the horizon, over many pools. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.capacity.growth import Tendency
from collector.capacity.needs import DAY_MS, Due, Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Pools by what becomes of them by the horizon. Dates are the most likely ones, in Unix ms."""

    pools: int
    growing: int
    unknown: int
    """Of which nothing can be said at the horizon."""
    paging: int
    """Those that page by then, or do already."""
    spent: int
    """Those that run out at their peaks by then, or do already."""
    refused: int
    """Connections that fail at each peak by then, over all pools of which that is known."""
    first_page_ms: int | None
    first_spent_ms: int | None


def cost(outlooks: Iterable[Outlook], last_day_ms: int, horizon_days: int) -> Cost:
    """The sum over these pools."""
    known, end_ms = list(outlooks), last_day_ms + horizon_days * DAY_MS
    pages, ends = _by(end_ms, (one.page for one in known)), _by(end_ms, (one.full for one in known))
    return Cost(
        pools=len(known),
        growing=sum(one.trend is Tendency.GROWING for one in known),
        unknown=sum(one.projected is None for one in known),
        paging=len(pages),
        spent=len(ends),
        refused=sum(one.refused or 0 for one in known),
        first_page_ms=min(pages, default=None),
        first_spent_ms=min(ends, default=None),
    )


def _by(end_ms: int, dues: Iterable[Due | None]) -> list[int]:
    return [due.at_ms for due in dues if due and due.at_ms <= end_ms]
