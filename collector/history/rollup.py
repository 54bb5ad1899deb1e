"""Chunks in coarser steps: minima, sums and maxima, so that no peak is lost and every mean is exact. Pure.

A pool's row of a step has `count` (at how many instants it was known) and columns named after what they keep:
`held.min`, `held.sum`, `held.max`, … A pool that a snapshot does not list although its namespace is listed completely
is known to hold nothing; such instants count where the pool was listed at another instant of the same raw chunk. For
the others its namespace's row tells at how many instants that was so (`complete.sum`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Bools, Chunk, Ints, Table, empty_table
from shared.model import Pool

PEAK_SCALE = 65_534
"""`peak` is an occupancy as a whole number from 0 to this, rounded up."""
_REDUCERS = {"min": np.minimum, "max": np.maximum, "sum": np.add}
_EMPTY = {"min": np.iinfo(np.int64).max, "max": np.iinfo(np.int64).min, "sum": 0}
_OF_POOLS = {
    "known": ("sum",),
    "held": ("min", "sum", "max"),
    "capacity": ("min", "max"),
    "headroom_min": ("min",),
    "peak": ("max",),
    "failures": ("sum",),
    "knee": ("max",),
    "TIME_WAIT": ("max",),
}
_OF_INSTANTS = {"known": ("sum",), "failed": ("sum",), "received": ("max",)}


def peaks_of(held: Ints, capacity: Ints) -> Ints:
    """Occupancies, scaled and rounded up. Only full pools are full, one without any port to lend among them."""
    share = -(-held * PEAK_SCALE // np.maximum(capacity, 1))
    return np.where(held < capacity, np.minimum(share, PEAK_SCALE - 1), PEAK_SCALE)


def rolled(chunks: Sequence[Chunk], step_ms: int, pools: dict[int, Pool]) -> Chunk:
    """Raw chunks of one host, in order of time, each in steps of `step_ms`. `pools` tells what each number is."""
    return joined([_rolled(_with_facts(chunk, pools), step_ms, raw=True) for chunk in chunks])


def rolled_again(chunks: Sequence[Chunk], step_ms: int) -> Chunk:
    """Roll-ups of one host, in order of time, in coarser steps that each lies within one of them."""
    return joined([_rolled(chunk, step_ms, raw=False) for chunk in chunks])


def kept(old: Chunk, new: Chunk, lost: Sequence[tuple[int, int]]) -> Chunk:
    """`new`, but of these stretches, [from, to), each step as `old` has it where that was made of as many snapshots.

    Of them it was made before anything was lost. Doing it twice changes nothing.
    """
    is_old = np.zeros(len(old.times), np.bool_)
    for from_ms, to_ms in lost:
        is_old |= (old.times >= from_ms) & (old.times < to_ms)
    seen = dict(zip(new.times.tolist(), _snapshots(new), strict=True))
    is_old &= np.array(
        [count >= seen.get(at, 0) for at, count in zip(old.times.tolist(), _snapshots(old), strict=True)]
    )
    if not is_old.any():
        return new
    both = joined([_at(old, is_old), _at(new, ~np.isin(new.times, old.times[is_old]))])
    return _at(both, np.argsort(both.times))


def _snapshots(chunk: Chunk) -> list[int]:
    """Of how many each step was made."""
    counts: list[int] = chunk.tables[INSTANTS].column("count")[0].tolist()
    return counts


# --- one chunk -------------------------------------------------------------------------------------------------------


def _rolled(chunk: Chunk, step_ms: int, *, raw: bool) -> Chunk:
    steps = chunk.times - chunk.times % step_ms
    times, begins = np.unique(steps, return_index=True)
    kept: dict[str, Mapping[str, tuple[str, ...]]] = {INSTANTS: _OF_INSTANTS, POOLS: _OF_POOLS}
    tables = {
        name: _reduced(table, begins, _plan(table, kept.get(name), raw=raw)) for name, table in chunk.tables.items()
    }
    return Chunk(times, chunk.texts, tables)


def _plan(table: Table, kept: Mapping[str, tuple[str, ...]] | None, *, raw: bool) -> list[tuple[str, str, str]]:
    """(column, how it is reduced, its new name). Namespaces keep everything of every column."""
    if not raw:
        return [(name, name.rpartition(".")[2] if "." in name else "sum", name) for name in table.columns]
    ways = kept or dict.fromkeys(table.columns, ("min", "sum", "max")) | {"known": ("sum",), "complete": ("sum",)}
    made = [(name, way, f"{name}.{way}") for name, found in ways.items() for way in found if name in table.columns]
    return [(name, way, "count" if name == "known" else new) for name, way, new in made]


def _reduced(table: Table, begins: Ints, plan: Sequence[tuple[str, str, str]]) -> Table:
    present = np.logical_or.reduceat(table.present, begins, axis=1)
    values = np.zeros((len(plan), *present.shape), np.int64)
    for number, (name, way, _new) in enumerate(plan):
        known = np.where(table.present, table.column(name), _EMPTY[way])
        values[number] = np.where(present, _REDUCERS[way].reduceat(known, begins, axis=1), 0)
    return Table(table.keys, tuple(new for _name, _way, new in plan), present, values)


def _with_facts(chunk: Chunk, pools: dict[int, Pool]) -> Chunk:
    """The raw chunk with what follows from it: which instants are known, peaks, complete namespaces, known zeros."""
    namespaces = chunk.tables[NAMESPACES]
    complete = namespaces.present & (namespaces.column("rest_pools") == 0)
    tables = {
        INSTANTS: _with(chunk.tables[INSTANTS], known=np.ones((1, len(chunk.times)), np.int64)),
        NAMESPACES: _with(namespaces, known=namespaces.present.astype(np.int64), complete=complete.astype(np.int64)),
        POOLS: _known_pools(chunk, complete, pools),
    }
    return Chunk(chunk.times, chunk.texts, tables)


def _known_pools(chunk: Chunk, complete: Bools, pools: dict[int, Pool]) -> Table:
    table, namespaces = chunk.tables[POOLS], chunk.tables[NAMESPACES]
    if not len(table.keys):
        return table
    numbers = {text: number for number, text in enumerate(chunk.texts)}
    owners = np.array([numbers[pools[key].netns] for key in table.keys.tolist()])
    rows = np.searchsorted(namespaces.keys, owners)
    lends = np.maximum(0, _capacity(namespaces))[rows]
    is_zero = complete[rows] & ~table.present
    zeros = {"capacity": lends, "headroom_min": lends, "headroom_max": lends}
    values = np.stack(
        [
            np.where(is_zero, zeros.get(name, 0), table.values[number]) if name in zeros else table.values[number]
            for number, name in enumerate(table.columns)
        ]
    )
    present = table.present | is_zero
    known = Table(table.keys, table.columns, present, values)
    peaks = np.where(present, peaks_of(known.column("held"), known.column("capacity")), 0)
    return _with(known, known=present.astype(np.int64), peak=peaks)


def _capacity(namespaces: Table) -> Ints:
    low, high = namespaces.column("low"), namespaces.column("high")
    return high - low + 1 - namespaces.column("reserved") - namespaces.column("blocked")


def _with(table: Table, **more: Ints) -> Table:
    values = np.concatenate([table.values, np.stack([column.reshape(table.present.shape) for column in more.values()])])
    return Table(table.keys, (*table.columns, *more), table.present, values)


# --- chunks after one another ----------------------------------------------------------------------------------------


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks whose times do not overlap, in order, as one."""
    texts: dict[str, int] = {}
    for chunk in chunks:
        for text in chunk.texts:
            texts.setdefault(text, len(texts))
    times = np.concatenate([chunk.times for chunk in chunks])
    names = [name for name in (INSTANTS, NAMESPACES, POOLS) if any(name in chunk.tables for chunk in chunks)]
    return Chunk(times, tuple(texts), {name: _joined_table(name, chunks, texts) for name in names})


def _at(chunk: Chunk, instants: Bools | Ints) -> Chunk:
    """These instants only, or in this order; rows that have none of them go."""
    return Chunk(chunk.times[instants], chunk.texts, {n: _table_at(t, instants) for n, t in chunk.tables.items()})


def _table_at(table: Table, instants: Bools | Ints) -> Table:
    present = table.present[:, instants]
    is_used = present.any(axis=1)
    values = table.values[:, :, instants]
    return Table(table.keys[is_used], table.columns, present[is_used], values[:, is_used])


def _joined_table(name: str, chunks: Sequence[Chunk], texts: dict[str, int]) -> Table:
    tables = [chunk.tables.get(name) or empty_table((), len(chunk.times)) for chunk in chunks]
    keys_of = [_keys(name, table, chunk, texts) for table, chunk in zip(tables, chunks, strict=True)]
    keys = np.unique(np.concatenate(keys_of))
    columns = tuple(dict.fromkeys(column for table in tables for column in table.columns))
    count, at = sum(len(chunk.times) for chunk in chunks), 0
    present = np.zeros((len(keys), count), np.bool_)
    values = np.zeros((len(columns), len(keys), count), np.int64)
    for table, own in zip(tables, keys_of, strict=True):
        part = slice(at, at + table.present.shape[1])
        rows, at = np.searchsorted(keys, own), part.stop
        present[rows, part] = table.present
        for number, column in enumerate(table.columns):
            values[columns.index(column), rows, part] = table.values[number]
    return Table(keys, columns, present, values)


def _keys(name: str, table: Table, chunk: Chunk, texts: dict[str, int]) -> Ints:
    if name != NAMESPACES:
        return table.keys
    return np.array([texts[chunk.texts[key]] for key in table.keys.tolist()], np.int64)
