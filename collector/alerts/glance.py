"""A body at a glance: whether any pool of it can matter to any rule, told from its packed columns. Pure.

Most hosts are calm most of the time. To know that they still are takes the maximum of a few columns, not an object a
pool. Of whoever is not surely calm the few pools that matter are picked; `shared.wire` reads what cannot be picked.
Bodies come from the log: they were checked in full when they were received, and are not checked again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from collector.alerts.conditions import FAILURES, HEADROOM, KNEE, SPENT_SOON, Scope
from collector.alerts.observe import USAGE_FLOOR
from collector.alerts.rules import Rule
from collector.alerts.where import Place
from collector.forecast.judge import USAGE_FLOOR as FORETOLD_FROM
from collector.packed import Packed, opened, part_of
from shared.model import Pool, Snapshot
from shared.ports import HIGHEST_PORT
from shared.wire import v1

_HAS_KNEE = v1.KNEES.index(True)


Column = np.ndarray[tuple[int], np.dtype[Any]]


class Columns(NamedTuple):
    """What is looked at, a number a pool; the last two may be empty: none failed, nobody counted."""

    held: "Column"
    occupancy: "Column"
    headroom: "Column"
    failures: "Column"
    knee: "Column"


@dataclass(frozen=True, slots=True)
class Glance:
    """The worst of each column, and what is kept of a calm host."""

    place: Place
    interval_ms: int
    pools: int
    occupancy: float
    headroom: int
    failures: int
    has_knee: bool
    settings: tuple[object, ...] | None
    columns: Columns = field(compare=False, repr=False)
    body: Packed = field(compare=False, repr=False)

    @property
    def listed(self) -> Sequence[Pool] | None:
        """The pools, row by row; None where their list was not read before by this process."""
        return self.body.listed


@dataclass(frozen=True, slots=True)
class Calm:
    """What a host must stay below for no rule to have anything to say of its pools.

    From `early` on a forecast wants to be told of a pool, of which it says nothing yet.
    """

    occupancy: float
    early: float
    headroom: float
    counts_failures: bool
    counts_knees: bool

    def holds(self, seen: Glance) -> bool:
        """Whether it surely does."""
        return (
            seen.occupancy < self.occupancy
            and seen.headroom > self.headroom
            and not (self.counts_failures and seen.failures)
            and not (self.counts_knees and seen.has_knee)
        )

    @property
    def least(self) -> float:
        """The occupancy below which a pool is nobody's business."""
        return min(self.occupancy, self.early)

    def rows(self, seen: Glance) -> Sequence[int]:
        """The pools of which a rule may have something to say, or a forecast something to learn."""
        wanted = (seen.columns.occupancy >= self.least) | (seen.columns.headroom <= self.headroom)
        if self.counts_failures and seen.failures:
            wanted |= seen.columns.failures > 0
        if self.counts_knees and seen.has_knee:
            wanted |= seen.columns.knee == _HAS_KNEE
        found: list[int] = np.flatnonzero(wanted).tolist()
        return found


def calm_of(rules: Iterable[Rule]) -> Calm | None:
    """When none of these rules has anything to say; None where only a full reading can tell."""
    rules = list(rules)
    if any(rule.level is not None and rule.where.names_pools for rule in rules):
        return None
    of_pools = [rule for rule in rules if rule.scope is Scope.POOL]
    shares = [rule.raise_at for rule in of_pools if rule.condition == "occupancy" and rule.raise_at is not None]
    foretells = any(rule.measure is SPENT_SOON for rule in of_pools)
    floors = [FORETOLD_FROM] if foretells else []
    return Calm(
        min([*shares, *floors, *(rule.level for rule in rules if rule.level is not None)], default=2.0),
        USAGE_FLOOR if foretells else 2.0,
        max([rule.raise_at or 0.0 for rule in of_pools if rule.measure is HEADROOM], default=-1.0),
        any(rule.measure is FAILURES for rule in of_pools),
        any(rule.measure is KNEE for rule in of_pools),
    )


def glance(body: bytes) -> Glance | None:
    """What a body that was validated when it was received shows; None where it must be read in full."""
    found = opened(body)
    if found is None or found.failure is not None:
        return None
    held, capacity, headroom = (_column(found, name) for name in ("held", "capacity", "headroom_min"))
    if held.size and not capacity.all():
        return None
    failures, knee = (_column(found, name) for name in (v1.FAILURES, v1.KNEE))
    # As 64 bits, as Python divides: rounded to 32, a pool at a level could be seen below it.
    columns = Columns(held, np.true_divide(held, capacity, dtype=np.float64), headroom, failures, knee)
    return Glance(
        Place(host=found.host, role=found.labels.get("role", ""), labels=found.labels),
        found.interval_ms,
        held.size + sum(one.remainder[0] for one in found.namespaces),
        float(np.maximum.reduce(columns.occupancy, initial=0.0)),
        int(np.minimum.reduce(headroom, initial=HIGHEST_PORT)),
        int(failures.max()) if failures.size else 0,
        bool(knee.size and (knee == _HAS_KNEE).any()),
        found.settings,
        columns,
        found,
    )


def picked(seen: Glance, rows: Sequence[int]) -> Snapshot | None:
    """The snapshot with the readings of these rows, as far as rules look at it; None where it must be read in full."""
    return part_of(seen.body, rows)


_U16 = np.dtype("<u2")
_NONE = np.zeros(0, _U16)


def _column(body: Packed, name: str) -> "np.ndarray[tuple[int], np.dtype[np.uint16]]":
    packed = body.columns.get(name)
    return np.frombuffer(packed, _U16) if packed else _NONE
