"""What a chunk holds: one host over a stretch of time, as columns. Pure.

A chunk has instants (moments a snapshot was taken, or the beginnings of steps of a roll-up) and three tables over
them: `instants` (one row, about the snapshots themselves), `namespaces` and `pools`. A table has a row a subject; a row
is a number a column for each instant at which the subject was listed. Where it was not listed there is a gap, and a gap
stays one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shared.errors import PortgaugeError

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

INSTANTS, NAMESPACES, POOLS = "instants", "namespaces", "pools"
MAX_INSTANTS = 100_000
MAX_KEYS = 1_000_000
MAX_COLUMNS = 256
MAX_CELLS = 2**27
"""Numbers a table may hold: a host of 10,000 pools that reports each second for ten minutes fits."""


class CorruptChunk(PortgaugeError):
    """Bytes that are not a chunk this program wrote, or no longer are."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the chunk cannot be read: {what}")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows by key, ascending. `values` has the shape (columns, keys, instants), `present` (keys, instants).

    Where a row is not present its values are 0 and mean nothing.
    """

    keys: Ints
    columns: tuple[str, ...]
    present: Bools
    values: Ints

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Table)
            and self.columns == other.columns
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.present, other.present)
            and np.array_equal(self.values, other.values)
        )

    __hash__ = None  # type: ignore[assignment]  # Arrays can be compared, not hashed.

    def column(self, name: str) -> Ints:
        """One column, (keys, instants); zeros where the table has no such column."""
        if name in self.columns:
            found: Ints = self.values[self.columns.index(name)]
            return found
        return np.zeros(self.present.shape, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Instants in ms, ascending (two snapshots may share one); texts that numbers point to; the tables."""

    times: Ints
    texts: tuple[str, ...] = ()
    tables: dict[str, Table] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Chunk)
            and self.texts == other.texts
            and np.array_equal(self.times, other.times)
            and self.tables == other.tables
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Row:
    """One subject of a table: the instants at which it was listed, and its columns over those.

    `present` tells which instants of the chunk these are.
    """

    times: Ints
    columns: dict[str, Ints]
    present: Bools

    def column(self, name: str) -> Ints:
        """The column; zeros where there is none."""
        found = self.columns.get(name)
        return np.zeros(len(self.times), np.int64) if found is None else found


def empty_table(columns: Sequence[str], instants: int) -> Table:
    """No rows."""
    return Table(
        np.zeros(0, np.int64),
        tuple(columns),
        np.zeros((0, instants), np.bool_),
        np.zeros((len(columns), 0, instants), np.int64),
    )
