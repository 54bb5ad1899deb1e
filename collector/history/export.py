"""A chunk as lines of CSV: a line a pool and instant, and a line for each stretch that cannot be told. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import POOLS, Chunk, Ints, Table
from collector.history.rollup import PEAK_SCALE
from collector.history.tiers import RAW, Tier
from shared.model import Pool
from shared.tcp import State

_WHO = ("at_ms", "host", "role", "netns", "kind", "local_ip", "peer_ip", "peer_port")
_RAW = ("held", "capacity", "headroom_min", "headroom_max", "failures", *(state.name for state in State))
_ROLLED = (
    ("count", "count"),
    ("held_min", "held.min"),
    ("held_max", "held.max"),
    ("capacity_min", "capacity.min"),
    ("capacity_max", "capacity.max"),
    ("headroom_min", "headroom_min.min"),
    ("failures", "failures.sum"),
    ("time_wait_max", "TIME_WAIT.max"),
)
_MADE = ("held_mean", "peak_occupancy")
LOST = "lost_until_ms"
"""The last column: empty, but where a line is about no pool. History that was there from `at_ms` until then is lost."""


def header(tier: Tier) -> str:
    """The first line."""
    return _csv([(*_WHO, *_names(tier), LOST)])


def lines(chunk: Chunk, tier: Tier, host: tuple[str, str], named: Mapping[int, Pool], span: tuple[int, int]) -> str:
    """What the chunk says of [from, to), by pool and time. `host` is (name, role); `named` tells the pools' numbers."""
    table = chunk.tables[POOLS]
    is_in = (chunk.times >= span[0]) & (chunk.times < span[1])
    columns = _columns(table, tier)
    rows: list[tuple[object, ...]] = []
    for row, number in enumerate(table.keys.tolist()):
        pool = named[number]
        who = (*host, pool.netns, pool.kind.value, pool.local_ip, pool.peer_ip, pool.peer_port)
        at = table.present[row] & is_in
        cells = [column[row][at].tolist() for column in columns]
        rows += [(at_ms, *who, *values, "") for at_ms, *values in zip(chunk.times[at].tolist(), *cells, strict=True)]
    return _csv(rows)


def losses(tier: Tier, host: tuple[str, str], lost: Sequence[tuple[int, int]]) -> str:
    """Lines that say that of these stretches, [from, to), history is lost: nobody shall take them for calm."""
    nothing = [""] * (len(_WHO) - 1 - len(host) + len(_names(tier)))
    return _csv([(from_ms, *host, *nothing, to_ms) for from_ms, to_ms in lost])


def _names(tier: Tier) -> Sequence[str]:
    return _RAW if tier is RAW else (*(name for name, _ in _ROLLED), *_MADE)


def _columns(table: Table, tier: Tier) -> Sequence[Ints | NDArray[np.float64]]:
    if tier is RAW:
        return [table.column(name) for name in _RAW]
    mean = np.round(table.column("held.sum") / np.maximum(table.column("count"), 1), 3)
    peak = np.round(table.column("peak.max") / PEAK_SCALE, 6)
    return [*(table.column(name) for _, name in _ROLLED), mean, peak]


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
