"""What a terminal and the page say alike of a plan. Pure.

Plans are told as plain documents here: a terminal has no other.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

Row = Mapping[str, Any]
NEEDS: Final = ("backends", "destinations", "sources", "hosts")
"""What a pool may need more of, the cheapest to add first."""


def needs_words(outlook: Row) -> str:
    """`6 backends or 3 sources`: the first that helps, and the others."""
    return " or ".join(f"{outlook['needs'][name]:,} {name}" for name in NEEDS if outlook["needs"][name] is not None)


def cost_words(what: str, horizon_days: int, cost: Row) -> str:
    """What comes of it until the horizon, over all pools that were looked at."""
    text = f"{what}, {horizon_days} days ahead: of {cost['pools']:,} pools {cost['paging']:,} page"
    text += f" (the first on {date(cost['first_page_ms'])})" if cost["first_page_ms"] is not None else ""
    text += f", {cost['spent']:,} run out"
    text += f" (the first on {date(cost['first_spent_ms'])})" if cost["first_spent_ms"] is not None else ""
    text += f"; {cost['refused']:,} connections refused at each peak"
    return text + (f"; nothing can be said of {cost['unknown']:,}" if cost["unknown"] else "")


def due_date(due: Row | None) -> str | None:
    """The most likely day; None where it will not come, or nobody can say."""
    return date(due["at_ms"]) if due else None


def date(at_ms: int) -> str:
    """The day, in UTC as days are counted."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
