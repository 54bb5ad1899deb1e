"""Which tier answers a question, and what its chunks say of a pool. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Protocol

import numpy as np

from collector.history.chunk import NAMESPACES, POOLS, Ints, Row
from collector.history.codec import Reader, rows_of
from collector.history.tiers import BELOW, HOUR, RAW, TIERS, Reach, Tier
from collector.trends.series import Stretch
from collector.trends.window import Window


class Gone(Protocol):
    """A chunk of which something is lost."""

    @property
    def tier(self) -> Tier: ...  # noqa: D102 - as collector.storage.chunks.Aside tells
    @property
    def from_ms(self) -> int: ...  # noqa: D102


_RAW = ("held", "capacity")
_RAW_ABOUT = ("rest_pools", "low", "high", "reserved", "blocked")
_ROLLED = ("count", "held.min", "held.sum", "held.max", "capacity.min")
_ROLLED_ABOUT = ("complete.sum", "low.min", "high.min", "reserved.min", "blocked.min")


def tier_for(window: Window, reach: Reach) -> tuple[Tier, Window]:
    """The coarsest tier that has the window's steps; the steps are widened where only a coarser one reaches back."""
    fits = [tier for tier in TIERS if tier is RAW or window.step_ms % tier.step_ms == 0]
    reaches = [tier for tier in TIERS if reach.holds(tier, window.from_ms)] or [HOUR]
    tier = max((tier for tier in fits if tier in reaches), key=lambda tier: tier.number, default=None)
    if tier:
        return tier, window
    tier = min(reaches, key=lambda tier: tier.number)
    return tier, replace(window, step_ms=-(-window.step_ms // tier.step_ms) * tier.step_ms)


def missing(tier: Tier, from_ms: int, to_ms: int, found: Collection[int]) -> list[tuple[Tier, int, int]]:
    """(finer tier, from, to) of what in [from_ms, to_ms) has no chunk of this tier yet, neighbours together."""
    if tier is RAW:
        return []
    stretches: list[tuple[Tier, int, int]] = []
    for start in (start for start in tier.starts(from_ms, to_ms) if start not in found):
        begin, end = max(start, from_ms), min(start + tier.span_ms, to_ms)
        if stretches and stretches[-1][2] == begin:
            begin = stretches.pop()[1]
        stretches.append((BELOW[tier], begin, end))
    return stretches


def is_missed(gone: Gone, tier: Tier, found: Collection[int], reach: Reach) -> bool:
    """Whether an answer lacks what is gone, that is given by `tier` where it has these chunks, and by finer ones else.

    A chunk that was set aside is told by the tier below, while that goes back so far; what is gone of the tier below
    may be missing in whatever was made of it.
    """
    if tier.start_of(gone.from_ms) in found:
        return gone.tier is RAW or gone.tier.number < tier.number
    return gone.tier is tier and (tier is RAW or not reach.holds(BELOW[tier], gone.from_ms))


def stretches_of(readers: Sequence[Reader], tier: Tier, number: int, netns: str) -> list[Stretch]:
    """What chunks say of a pool: where it is listed, and where its namespace is listed completely."""
    wanted, about = (_RAW, _RAW_ABOUT) if tier is RAW else (_ROLLED, _ROLLED_ABOUT)
    pools = rows_of(readers, POOLS, [number] * len(readers), wanted)
    known = [_listed(pool, tier) for pool in pools if pool]
    # Where the pool is listed throughout, what its namespace says would add nothing.
    others = [
        (reader, pool)
        for reader, pool in zip(readers, pools, strict=True)
        if netns in reader.texts and not (pool and pool.present.all())
    ]
    keys = [reader.texts.index(netns) for reader, _ in others]
    namespaces = rows_of([reader for reader, _ in others], NAMESPACES, keys, about)
    return known + [
        _nothing_held(namespace, pool, tier)
        for namespace, (_, pool) in zip(namespaces, others, strict=True)
        if namespace
    ]


def within(known: Stretch, window: Window) -> Stretch:
    """The part that lies in the window."""
    is_in = (known.times >= window.from_ms) & (known.times < window.to_ms)
    return Stretch(*(getattr(known, one.name)[is_in] for one in fields(known)))


def _listed(row: Row, tier: Tier) -> Stretch:
    if tier is RAW:
        held = row.column("held")
        return Stretch(row.times, np.ones_like(held), held, held, held, row.column("capacity"))
    return Stretch(row.times, *(row.column(name) for name in _ROLLED))


def _nothing_held(namespace: Row, pool: Row | None, tier: Tier) -> Stretch:
    """Instants at which the pool was not listed although its namespace was listed completely: it held nothing."""
    is_raw = tier is RAW
    complete = (namespace.column("rest_pools") == 0) if is_raw else namespace.column("complete.sum")
    times, capacity = namespace.times, _capacity(namespace, "" if is_raw else ".min")
    if pool:
        is_absent = ~pool.present[namespace.present]
        times, complete, capacity = times[is_absent], complete[is_absent], capacity[is_absent]
    zero = np.zeros_like(times)
    return Stretch(times, complete.astype(np.int64), zero, zero, zero, capacity)


def _capacity(namespace: Row, way: str) -> Ints:
    """Ports that a pool of this namespace can lend."""
    ports = namespace.column(f"high{way}") - namespace.column(f"low{way}") + 1
    lends: Ints = ports - namespace.column(f"reserved{way}") - namespace.column(f"blocked{way}")
    return np.maximum(lends, 0)
