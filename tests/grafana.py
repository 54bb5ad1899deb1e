"""Dashboards held against the types that Grafana's own people generate from its schema (grafana-foundation-sdk)."""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Literal

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

LATER = frozenset({"definition"})
"""Keys that Grafana writes, and that its schema of this version leaves out."""
_NUMBERS = frozenset({int, float})


def faults(board: Mapping[str, Any]) -> list[str]:
    """Each key that Grafana does not know where it stands, and each value that is of no type it may have there."""
    register_default_plugins()
    read = Dashboard.from_json(dict(board))
    return [*_lost(board, _written(read), "dashboard"), *_mistyped(read, "dashboard")]


def _written(read: Any) -> Any:
    return json.loads(JSONEncoder().encode(read))


def _lost(given: Any, kept: Any, where: str) -> Iterator[str]:
    """What does not come back as it was given: the types of Grafana drop what they do not know."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from _lost(value, kept[key], f"{where}.{key}")
            elif key not in LATER:
                yield f"{where}.{key} is not known"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from _lost(one, other, f"{where}[{number}]")
    elif given != kept:
        yield f"{where} is read as {kept!r}"


def _mistyped(value: Any, where: str) -> Iterator[str]:
    """Of a value of the schema's types, each attribute that is not of its type."""
    if isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _mistyped(one, f"{where}[{number}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _mistyped(one, f"{where}.{key}")
    elif hasattr(value, "__dict__") and not isinstance(value, Enum):
        for name, hint in typing.get_type_hints(type(value)).items():
            one = getattr(value, name, None)
            if one is not None and not _fits(one, hint):
                yield f"{where}.{name}: {one!r} is no {hint}"
            yield from _mistyped(one, f"{where}.{name}")


def _fits(value: Any, hint: Any) -> bool:  # noqa: PLR0911 - one line a kind of type
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list) and all(_fits(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(one, arguments[1]) for one in value.values())
    if hint in _NUMBERS:
        return type(value) in _NUMBERS
    if isinstance(value, dict) and hasattr(hint, "from_json"):  # Left as it was given: some lists are.
        return not list(_lost(value, _written(hint.from_json(value)), ""))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in {one.value for one in hint} or isinstance(value, hint)
    return not isinstance(hint, type) or hint is object or isinstance(value, hint)
