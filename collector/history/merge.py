"""Two raw chunks of the same host and time as one. Pure.

(boot, seq) names a snapshot; one that both hold is kept once. So putting the same snapshots in again changes nothing,
and a compaction that was interrupted may simply be repeated.
"""

import numpy as np

from collector.history.chunk import INSTANTS, NAMESPACES, Bools, Chunk, Ints, Table

TEXT_COLUMNS = frozenset({"boot", "agent", "labels", "failure", "unreadable", "machine", "owner"})
"""Columns whose numbers point to texts. So do the keys of the namespaces."""


def merged(old: Chunk, new: Chunk) -> Chunk:
    """All of `old`, and what of `new` it does not hold."""
    fresh = ~np.isin(_names(new), list(_names(old)))
    if not fresh.any():
        return old
    numbers = {text: number for number, text in enumerate(old.texts)}
    moves = np.array([numbers.setdefault(text, len(numbers)) for text in new.texts], np.int64)
    times = np.concatenate([old.times, new.times[fresh]])
    order = np.argsort(times, kind="stable")
    tables = {
        name: _joined(old.tables[name], _moved(name, new.tables[name], moves), fresh, order) for name in old.tables
    }
    return Chunk(times[order], tuple(numbers), tables)


def names_of(chunk: Chunk) -> list[tuple[str, int]]:
    """(boot, seq) of each instant."""
    table = chunk.tables[INSTANTS]
    boots, seqs = table.column("boot")[0].tolist(), table.column("seq")[0].tolist()
    return [(chunk.texts[boot], seq) for boot, seq in zip(boots, seqs, strict=True)]


def _names(chunk: Chunk) -> "np.ndarray[tuple[int], np.dtype[np.str_]]":
    return np.array([f"{seq} {boot}" for boot, seq in names_of(chunk)])


def _moved(name: str, table: Table, moves: Ints) -> Table:
    """The table with its numbers of texts as they are in the other chunk."""
    values = table.values.copy()
    for number, column in enumerate(table.columns):
        if column in TEXT_COLUMNS and name != NAMESPACES:
            values[number] = np.where(table.present, moves[values[number]], 0)
    keys = moves[table.keys] if name == NAMESPACES else table.keys
    order = np.argsort(keys)
    return Table(keys[order], table.columns, table.present[order], values[:, order])


def _joined(old: Table, new: Table, fresh: Bools, order: Ints) -> Table:
    """Rows and columns of both, the instants of `old` first, then put in order."""
    keys = np.union1d(old.keys, new.keys)
    columns = (*old.columns, *(name for name in new.columns if name not in old.columns))
    before, count = old.present.shape[1], len(order)
    present = np.zeros((len(keys), count), np.bool_)
    values = np.zeros((len(columns), len(keys), count), np.int64)
    for table, part, taken in ((old, slice(0, before), slice(None)), (new, slice(before, count), fresh)):
        rows = np.searchsorted(keys, table.keys)
        present[rows, part] = table.present[:, taken]
        for number, name in enumerate(table.columns):
            values[columns.index(name), rows, part] = table.values[number][:, taken]
    present, values = present[:, order], values[:, :, order]
    is_used = present.any(axis=1)
    return Table(keys[is_used], columns, present[is_used], values[:, is_used])
