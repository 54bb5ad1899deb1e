"""What a column adds to what others tell already. Pure.

`headroom_max` is nearly always `capacity − held`, and `held` nearly the sum of the states; a roll-up's maximum lies a
little above its minimum. Only the difference is written. Every rule is undone exactly, whatever the numbers.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from collector.history.chunk import Ints
from shared.tcp import State

Columns: TypeAlias = Mapping[str, Ints]
_STATES = tuple(state.name for state in State)


def _sum_of_states(columns: Columns) -> Ints | int:
    return sum((columns[name] for name in _STATES if name in columns), 0)


RULES: Sequence[tuple[str, tuple[str, ...], Callable[[Columns], Ints | int]]] = (
    ("headroom_min", ("headroom_max",), lambda c: c["headroom_max"]),
    ("headroom_max", ("capacity", "held"), lambda c: c["capacity"] - c["held"]),
    ("held", (), _sum_of_states),
    ("headroom_min.min", ("capacity.min", "held.max"), lambda c: c["capacity.min"] - c["held.max"]),
    ("held.sum", ("count", "held.min"), lambda c: c["count"] * c["held.min"]),
    ("held.max", ("held.min",), lambda c: c["held.min"]),
    ("capacity.max", ("capacity.min",), lambda c: c["capacity.min"]),
)
"""(column, what it needs, what is expected of it), in the order of writing: none needs a column treated before it."""


def needed(wanted: Collection[str], columns: Sequence[str]) -> set[str]:
    """Which of a table's columns have to be read to restore the wanted ones."""
    found = {name for name in wanted if name in columns}
    for name, needs, _ in RULES:  # None needs a column that stands before it: one pass finds all.
        if name in found and all(need in columns for need in needs):
            found.update(needs)
    return found | ({name for name in _STATES if name in columns} if "held" in found else set())


def reduce(columns: dict[str, Ints]) -> None:
    """Replace each predictable column by what it adds."""
    for name, needs, expected in RULES:
        if name in columns and all(need in columns for need in needs):
            columns[name] = columns[name] - expected(columns)


def restore(columns: dict[str, Ints]) -> None:
    """Undo `reduce`."""
    for name, needs, expected in reversed(RULES):
        if name in columns and all(need in columns for need in needs):
            columns[name] = columns[name] + expected(columns)
