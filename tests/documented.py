"""docs/commands.md, to hold what `--json` prints against."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "commands.md").read_text()
SHOWN = dict(re.findall(r"## `(.+?)`\n.*?```json\n(.*?)```", PAGE, re.DOTALL))
MAPS = frozenset({"states", "totals", "settings", "blocked_ports", "labels", "failed", "detail"})
"""Whose keys are names of things, not of facts."""


def paths(value: Any, at: str = "") -> Iterator[str]:
    """`pools[].states` and so on: every key there is."""
    if isinstance(value, list):
        for one in value:
            yield from paths(one, f"{at}[]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield f"{at}.{key}"
            if key not in MAPS:
                yield from paths(one, f"{at}.{key}")


def unseen(value: Any, at: str = "") -> Iterator[str]:
    """Lists and facts with nothing in them: what they would hold cannot be compared here."""
    if isinstance(value, list):
        if not value:
            yield at
        for one in value:
            yield from unseen(one, f"{at}[]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from unseen(one, f"{at}.{key}")
    elif value is None:
        yield at


def same(command: str, printed: Any) -> None:
    """The keys that were printed are those the page shows."""
    shown, told = set(paths(json.loads(SHOWN[command]))), set(paths(printed))
    blank = tuple(unseen(printed))
    hidden = {path for path in shown if path.startswith(tuple(f"{one}{mark}" for one in blank for mark in ".["))}
    assert told == shown - hidden
