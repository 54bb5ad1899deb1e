"""What a trend tells beside its points: the states at each step's peak, and which settings changed when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collector.history.chunk import NAMESPACES, POOLS, Ints, Row
from collector.history.codec import Reader
from collector.history.gather import SETTING, UNTOLD
from collector.history.tiers import RAW, Tier
from collector.trends.window import Window
from shared.model import Pool, Reading, Snapshot
from shared.tcp import State

KEPT_ROLLED = (State.TIME_WAIT.name,)
"""Of the states, what roll-ups keep."""
RANGE, RESERVED = "ip_local_port_range", "reserved ports"
Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A setting of the pool's namespace that was found to be another than before, at `at_ms` or within a step of it."""

    at_ms: int
    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} was {self.before}, is {self.after}"


class Detail:
    """Takes chunks and snapshots in any order."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._held = np.full(len(window), -1, np.int64)
        self._states: dict[str, Ints] = {}
        self._settings: list[tuple[int, Settings]] = []

    def read(self, reader: Reader, tier: Tier, number: int, netns: str) -> None:
        """Count in what a chunk says of the pool and of its namespace. Raises CorruptChunk."""
        is_raw = tier is RAW
        pool = reader.row(POOLS, number)
        if pool:
            names = [state.name for state in State] if is_raw else KEPT_ROLLED
            columns = {name: pool.column(name if is_raw else f"{name}.max") for name in names}
            self._add(pool.times, pool.column("held" if is_raw else "held.max"), columns)
        namespace = reader.row(NAMESPACES, reader.texts.index(netns)) if netns in reader.texts else None
        if namespace:
            self._settings += _settings(namespace, "" if is_raw else ".max")

    def see(self, at_ms: int, snapshot: Snapshot, pool: Pool, reading: Reading | None) -> None:
        """Count one snapshot in, with the pool's reading in it."""
        if reading:
            columns = {state.name: np.array([count]) for state, count in reading.states.items()}
            self._add(np.array([at_ms]), np.array([reading.held]), columns)
        for one in snapshot.namespaces:
            if one.name == pool.netns:
                told = {name: str(value) for name, value in one.settings.items()}
                self._settings.append((at_ms, {RANGE: str(one.port_range), RESERVED: str(one.reserved), **told}))

    def states(self) -> list[dict[str, int]]:
        """Of each step, ports by state at the moment the most were held; what is not kept is not told."""
        told = {name: column.tolist() for name, column in self._states.items() if column.any()}
        return [{name: column[index] for name, column in told.items()} for index in range(len(self.window))]

    def changes(self) -> list[Change]:
        """Settings that changed within the window, in order of time."""
        found: list[Change] = []
        last: dict[str, str] = {}
        for at_ms, settings in sorted(self._settings, key=lambda one: one[0]):
            for name, value in settings.items():
                if last.get(name, value) != value:
                    found.append(Change(at_ms, name, last[name], value))
                last[name] = value
        return [one for one in found if self.window.from_ms <= one.at_ms < self.window.to_ms]

    def _add(self, times: Ints, held: Ints, columns: Mapping[str, Ints]) -> None:
        index = times // self.window.step_ms - self.window.from_ms // self.window.step_ms
        order = np.lexsort((held, index))
        order = order[(index[order] >= 0) & (index[order] < len(self.window))]
        is_highest = np.append(index[order][1:] != index[order][:-1], True)[: len(order)]
        best = order[is_highest]
        best = best[held[best] > self._held[index[best]]]
        self._held[index[best]] = held[best]
        for name in {*columns, *self._states}:
            column = self._states.setdefault(name, np.zeros(len(self.window), np.int64))
            column[index[best]] = columns[name][best] if name in columns else 0


def _settings(row: Row, way: str) -> Sequence[tuple[int, Settings]]:
    """(when, settings) wherever they are not as at the instant before."""
    low, high, reserved = (row.column(f"{name}{way}") for name in ("low", "high", "reserved"))
    named = [name for name in row.columns if name.startswith(SETTING) and name.endswith(way)]
    kept = [low, high, reserved, *(row.column(name) for name in named)]
    table = np.stack(kept)
    moved = [0, *(np.flatnonzero((np.diff(table, axis=1) != 0).any(axis=0)) + 1).tolist()]
    return [(int(row.times[at]), _told(named, table[:, at].tolist(), way)) for at in moved if len(row.times)]


def _told(named: Sequence[str], values: Sequence[int], way: str) -> Settings:
    low, high, reserved, *rest = values
    told = {
        name.removeprefix(SETTING).removesuffix(way): str(value)
        for name, value in zip(named, rest, strict=True)
        if value != UNTOLD
    }
    return {RANGE: f"{low}–{high}", RESERVED: str(reserved), **told}
