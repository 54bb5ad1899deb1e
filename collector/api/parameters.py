"""The parameters that several operations share, as their document says them. Read by collector.api.params."""

from collections.abc import Iterable

from collector.api.operation import Parameter

MOST_ITEMS = 1_000
_TIME = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d$"},
        {"type": "number", "minimum": 0, "description": "Unix seconds"},
    ]
}
CURSOR = Parameter(
    "cursor",
    "`next` of the page before; the other parameters stay as they were",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 4_096},
)
HOST = Parameter("host", "of this host only", {"type": "string", "minLength": 1}, example="lb1")
FROM = Parameter("from", "since when: ISO 8601 (UTC where it names no offset), or Unix seconds", _TIME)
TO = Parameter("to", "until when, itself not included (default: now)", _TIME)


def limit(default: int, most: int = MOST_ITEMS) -> Parameter:
    """How many items a page has at most."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "how many items at most", schema)


def choice(name: str, about: str, choices: Iterable[str]) -> Parameter:
    """One of a few words."""
    return Parameter(name, about, {"type": "string", "enum": [str(one) for one in choices]})


def text(name: str, about: str, example: str, *, is_required: bool = False) -> Parameter:
    """A text of a form that its description tells."""
    return Parameter(name, about, {"type": "string", "minLength": 1}, is_required, example)


def number(name: str, about: str, low: float, high: float) -> Parameter:
    """A number within bounds."""
    return Parameter(name, about, {"type": "number", "minimum": low, "maximum": high})
