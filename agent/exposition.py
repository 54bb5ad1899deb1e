"""Prometheus's text format 0.0.4, written. Pure.

Ours, because the agent carries no further library and all of the format that it needs fits here; `promtool check
metrics` reads what it writes (tests/integration/agent/test_listening.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Labels = tuple[tuple[str, str], ...]
"""(name, value) pairs."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Family:
    """One metric and its series."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    """One line."""
    series: Mapping[Labels, float] = field(default_factory=dict)


def single(name: str, kind: Literal["counter", "gauge"], help_: str, value: float | None) -> Family:
    """A metric without labels; without a value it has no series: unknown is not zero."""
    return Family(name, kind, help_, {} if value is None else {(): value})


def by(label: str, values: Mapping[str, float]) -> dict[Labels, float]:
    """Series that differ in one label."""
    return {((label, name),): value for name, value in values.items()}


def text_of(families: Iterable[Family]) -> str:
    """All families that have a series."""
    return "".join(line + "\n" for family in families if family.series for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, value in family.series.items():
        pairs = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels)
        yield f"{family.name}{f'{{{pairs}}}' if pairs else ''} {value}"
