"""A chunk of history as the reports it was made of, one host's, to be judged again. Pure.

Of roll-ups each step is one report, of the worst it held: the most ports, the fewest left, every failure. What a
roll-up does not keep (owners, most states, labels as they were) is not in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collector.alerts.glance import Calm
from collector.alerts.playing import Report
from collector.alerts.where import Place
from collector.fleet.host import Host
from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Bools, Chunk, Ints, Table
from collector.history.gather import SETTING, UNTOLD
from collector.history.tiers import RAW, Tier
from shared.model import Namespace, Pool, Reading, Remainder, Snapshot, Unreadable
from shared.ports import PortRange
from shared.tcp import State
from shared.wire.v1 import KNEES

_RAW = ("held", "capacity", "headroom_min", "headroom_max", "failures", "knee")
_ROLLED = ("held.max", "capacity.min", "headroom_min.min", "", "failures.sum", "knee.max")
_SPACE = ("low", "high", "reserved", "blocked")


@dataclass(frozen=True, slots=True)
class _Told:
    """What an instant says of itself."""

    place: Place
    interval_ms: int
    failure: str | None


class Strip:
    """The reports of one chunk within [from, to). It keeps what they are read from only, as narrow as it goes.

    `calm`: what a pool must be past for a rule to have anything to say; None: nothing.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a chunk is read with
        self, chunk: Chunk, tier: Tier, host: Host, named: Mapping[int, Pool], calm: Calm | None, span: tuple[int, int]
    ) -> None:
        is_in = (chunk.times >= span[0]) & (chunk.times < span[1])
        self._tier, self._host, self._texts, self._times = tier, host, chunk.texts, chunk.times[is_in]
        self._about, self._spaces = (_cut(chunk.tables[name], is_in) for name in (INSTANTS, NAMESPACES))
        pools = _cut(chunk.tables[POOLS], is_in)
        self._names = [named[number] for number in pools.keys.tolist()]
        self._states = [one for one in State if tier is RAW and one.name in pools.columns]
        told = [*(one.name for one in self._states), "owner"] if tier is RAW else []
        # Together: what a report lists of a few pools is picked out of it at once.
        self._grid = _narrow(np.stack([pools.column(name) for name in (*(_RAW if tier is RAW else _ROLLED), *told)]))
        self._present = pools.present
        self._matters = self._mattering(calm)
        self._labels: dict[int, Place] = {}
        self._known: dict[tuple[int, bytes], Namespace] = {}
        self._count = self._present.sum(axis=0) + self._rest("rest_pools").sum(axis=0) if calm else None

    def reports(self) -> list[tuple[int, int, Report]]:
        """(when received, when taken, report) of each."""
        received = self._times + (self._instants("received") if self._tier is RAW else 0)
        when = zip(received.tolist(), self._times.tolist(), strict=True)
        return [(came_ms, taken_ms, self._report(at, came_ms)) for at, (came_ms, taken_ms) in enumerate(when)]

    def half_full(self, share: float) -> list[Pool]:
        """Pools that held so much of their capacity at some instant."""
        rows = (self._present & (self._occupancy() >= share)).any(axis=1)
        return [self._names[row] for row in np.flatnonzero(rows).tolist()]

    def _report(self, at: int, at_ms: int) -> Report:
        told = self._told(at)
        return Report(
            at_ms=at_ms,
            place=told.place,
            host_id=self._host.id,
            interval_ms=told.interval_ms,
            read=lambda is_whole: self._snapshot(at, told, is_whole=is_whole),
            pools=None if self._count is None else int(self._count[at]),
        )

    def _told(self, at: int) -> _Told:
        if self._tier is not RAW:
            has_failed = bool(self._instants("failed.sum")[at] >= self._instants("count")[at])
            here = Place(host=self._host.name, role=self._host.role or "", labels=self._host.labels)
            return _Told(here, self._tier.step_ms, "it could not sample" if has_failed else None)
        number = int(self._instants("labels")[at])
        if number not in self._labels:
            labels = json.loads(self._texts[number])
            self._labels[number] = Place(host=self._host.name, role=labels.get("role", ""), labels=labels)
        failure = self._texts[int(self._instants("failure")[at])] if self._instants("failed")[at] else None
        return _Told(self._labels[number], int(self._instants("interval")[at]), failure)

    def _snapshot(self, at: int, told: _Told, *, is_whole: bool) -> Snapshot:
        rows = np.flatnonzero((self._present if is_whole else self._matters)[:, at]).tolist()
        has_failed = told.failure is not None
        return Snapshot(
            host=self._host.name,
            boot_id="",
            seq=0,
            taken_at_ms=int(self._times[at]),
            agent_version="",
            interval_ms=told.interval_ms,
            labels=told.place.labels,
            namespaces=() if has_failed else tuple(self._namespaces(at)),
            readings=() if has_failed or not rows else tuple(self._readings(rows, at)),
            unreadable=self._unreadable(at),
            failure=told.failure,
        )

    def _unreadable(self, at: int) -> tuple[Unreadable, ...]:
        """Roll-ups do not keep it: of what they do not list nobody can say that it was not there."""
        why = self._texts[int(self._instants("unreadable")[at])] if self._tier is RAW else "not kept"
        return (Unreadable(0, why),) if why else ()

    def _readings(self, rows: Sequence[int], at: int) -> Iterator[Reading]:
        for row, numbers in zip(rows, self._grid[:, rows, at].T.tolist(), strict=True):
            held, capacity, least, most, failures, knee, *rest = numbers
            if self._tier is not RAW:
                most = max(least, capacity - held)
            found = {state: count for state, count in zip(self._states, rest, strict=False) if count}
            owner = self._texts[rest[-1]] if rest else ""
            yield Reading(self._names[row], held, capacity, least, most, found, failures, owner, KNEES[knee])

    def _namespaces(self, at: int) -> Sequence[Namespace]:
        rows = np.flatnonzero(self._spaces.present[:, at]).tolist()
        return [self._known_namespace(self._spaces, row, at) for row in rows]

    def _known_namespace(self, table: Table, row: int, at: int) -> Namespace:
        """Few change from one report to the next."""
        key = (row, table.values[:, row, at].tobytes())
        if key not in self._known:
            self._known[key] = self._namespace(table, row, at)
        return self._known[key]

    def _namespace(self, table: Table, row: int, at: int) -> Namespace:
        way = "" if self._tier is RAW else ".min"
        low, high, reserved, blocked = (int(table.column(f"{name}{way}")[row, at]) for name in _SPACE)
        return Namespace(
            name=self._texts[int(table.keys[row])],
            inode=0,
            port_range=PortRange(low, high),
            reserved=reserved,
            blocked=blocked,
            settings={name: value for name, value in self._settings(table, row, at).items() if value != UNTOLD},
            remainder=Remainder(
                int(self._rest("rest_pools")[row, at]),
                int(self._rest("rest_held")[row, at]),
                int(self._rest("rest_max_held")[row, at]),
            ),
        )

    def _settings(self, table: Table, row: int, at: int) -> Mapping[str, int]:
        way = "" if self._tier is RAW else ".max"
        named = [name for name in table.columns if name.startswith(SETTING) and name.endswith(way)]
        return {name.removeprefix(SETTING).removesuffix(way): int(table.column(name)[row, at]) for name in named}

    def _rest(self, name: str) -> Ints:
        return self._spaces.column(name if self._tier is RAW else f"{name}.max")

    def _instants(self, name: str) -> Ints:
        column: Ints = self._about.column(name)[0]
        return column

    def _column(self, name: str) -> Ints:
        column: Ints = self._grid[_RAW.index(name)]
        return column

    def _occupancy(self) -> NDArray[np.float64]:
        """As shared.model.Reading has it: a pool without any port to lend is full."""
        held, capacity = self._column("held"), self._column("capacity")
        share = np.true_divide(held, np.maximum(capacity, 1), dtype=np.float64)
        return np.where(capacity > 0, share, 1.0)

    def _mattering(self, calm: Calm | None) -> Bools:
        if calm is None:
            return self._present
        matters = (self._occupancy() >= calm.least) | (self._column("headroom_min") <= calm.headroom)
        if calm.counts_failures:
            matters |= self._column("failures") > 0
        if calm.counts_knees:
            matters |= self._column("knee") == KNEES.index(True)
        found: Bools = self._present & matters
        return found


def _cut(table: Table, is_in: Bools) -> Table:
    """Only these instants. A copy, so that the chunk it is of can go."""
    return replace(table, present=table.present[:, is_in], values=_narrow(table.values[:, :, is_in]))


def _narrow(values: Ints) -> Ints:
    """In two bytes a number where each fits, and most do: no pool holds more than 65,535 ports."""
    is_small = values.size == 0 or (values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max)
    narrow: Ints = values.astype(np.uint16) if is_small else values
    return narrow
