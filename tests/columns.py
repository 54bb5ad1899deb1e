"""Chunks for tests, from lists that read aloud: None is a gap."""

from collections.abc import Sequence

import numpy as np

from collector.history.chunk import POOLS, Chunk, Table
from tests.builders import NOON_MS

Rows = Sequence[Sequence[int | None]]


def a_table(keys: Sequence[int] | None = None, **columns: Rows) -> Table:
    """A row a key, 1, 2, … unless told otherwise; gaps are those of the first column."""
    rows = next(iter(columns.values()))
    present = np.array([[cell is not None for cell in row] for row in rows], np.bool_)
    values = np.array([[[cell or 0 for cell in row] for row in column] for column in columns.values()], np.int64)
    numbers = np.array(keys or range(1, len(rows) + 1), np.int64)
    shaped = values.reshape(len(columns), *present.shape)
    return Table(numbers, tuple(columns), present, np.where(present, shaped, 0))


def a_chunk(
    *,
    keys: Sequence[int] | None = None,
    step_ms: int = 10_000,
    from_ms: int = NOON_MS,
    texts: Sequence[str] = (),
    **columns: Rows,
) -> Chunk:
    """A chunk of pools only, an instant each step from noon on."""
    table = a_table(keys, **columns)
    times = from_ms + np.arange(table.present.shape[1], dtype=np.int64) * step_ms
    return Chunk(times, tuple(texts), {POOLS: table})
