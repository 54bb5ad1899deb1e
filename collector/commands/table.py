"""Answers of the API as a table for a person, or as CSV. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
_SHARES = frozenset({"occupancy", "margin", "before", "after", "rise"})
_LENGTHS = frozenset({"skew_ms"})
"""Of time; whatever else ends in _ms is an instant."""


def pool_of(item: Row) -> str:
    """`10.0.0.1 → 10.0.0.2:8080`, as the other commands write it."""
    peer = item.get("peer_ip") or "*"
    if item.get("kind") != "connect":
        return f"{item.get('local_ip')} ({item.get('kind')})"
    end = f"[{peer}]:{item['peer_port']}" if ":" in peer else f"{peer}:{item['peer_port']}"
    return f"{item['local_ip']} → {end}"


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Columns aligned, numbers to the right; what is not known is a dash."""
    cells = [list(columns), *([cell(name, row) for name in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    is_number = [all(_is_number(name, row) for row in rows) for name in columns]
    lines = [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def cell(name: str, row: Row) -> str:
    """One value as people read it: times in UTC, shares in percent."""
    if name == "pool":
        return pool_of(row)
    value = row.get(name)
    if value is None or value == "":
        return "–"
    if _is_instant(name) and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float) and (name in _SHARES or name.startswith("p")):
        return f"{value * 100:.1f} %"
    if isinstance(value, int) and not isinstance(value, bool) and name != "peer_port":
        return f"{value:,}"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def as_csv(rows: Sequence[Row]) -> str:
    """Every value as the API gives it; what is nested is left out, and so is nothing else."""
    flat = [{name: value for name, value in row.items() if not isinstance(value, dict | list)} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _is_number(name: str, row: Row) -> bool:
    value = pool_of(row) if name == "pool" else row.get(name)
    return value is None or (isinstance(value, int | float) and not _is_instant(name))


def _is_instant(name: str) -> bool:
    return name.endswith("_ms") and name not in _LENGTHS
