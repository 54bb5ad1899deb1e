"""Questions over the whole fleet: who came closest, who climbs, who presses on a backend, how full all pools were."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from collector.history import fleet
from collector.history.chunk import CorruptChunk, Ints
from collector.history.tiers import HOUR_MS, MINUTE_MS
from collector.storage import fleet_history, pools
from collector.storage.database import Database
from collector.trends.peaks import Climb, Highest, Peak, climbers
from collector.trends.window import Window
from shared.model import Pool

WEEK_MS = 7 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Named:
    """A pool by name, with what was found of it."""

    host: str
    role: str | None
    pool: Pool
    found: Peak | Climb


@dataclass(frozen=True, slots=True)
class Level:
    """How full the fleet's pools were within a step: quantiles, in the order asked; None where nothing is known.

    `pool_minutes`: how much was counted, each pool once a minute.
    """

    at_ms: int
    pool_minutes: int
    quantiles: tuple[float | None, ...]


async def top(db: Database, from_ms: int, to_ms: int, limit: int, among: Collection[int] | None = None) -> list[Named]:
    """The pools with the highest occupancy in the hours that touch [from_ms, to_ms)."""
    return (await top_and_all(db, from_ms, to_ms, limit, among))[0]


async def top_and_all(
    db: Database, from_ms: int, to_ms: int, limit: int, among: Collection[int] | None = None
) -> tuple[list[Named], Ints]:
    """As `top`; and the numbers of all pools that were seen then."""
    highest = await _highest(db, from_ms, to_ms)
    fullest = await _named(db, await asyncio.to_thread(highest.top, limit, among=among))
    return fullest, await asyncio.to_thread(highest.seen, among)


async def peers(db: Database, peer: bytes, peer_port: int | None, window: tuple[int, int], limit: int) -> list[Named]:
    """Which pools of which hosts press on this backend, the fullest first."""
    async with db.reading() as connection:
        numbers = await pools.towards(connection, peer, peer_port)
    return await top(db, *window, limit, numbers)


async def growth(
    db: Database, from_ms: int, to_ms: int, limit: int, among: Collection[int] | None = None
) -> list[Named]:
    """The pools whose peak rose most from the earlier half of the window to the later one."""
    middle_ms = (from_ms + to_ms) // 2 // HOUR_MS * HOUR_MS
    before, after = await _highest(db, from_ms, middle_ms), await _highest(db, middle_ms, to_ms)
    return await _named(db, await asyncio.to_thread(climbers, before, after, limit, among=among))


async def near_misses(db: Database, from_ms: int, to_ms: int, limit: int) -> list[tuple[int, list[Named]]]:
    """By week (it begins on Thursdays, as Unix time does), newest first: the pools that came closest to their end."""
    starts = range(from_ms // WEEK_MS * WEEK_MS, to_ms, WEEK_MS)
    return [
        (start, await top(db, max(start, from_ms), min(start + WEEK_MS, to_ms), limit)) for start in reversed(starts)
    ]


async def levels(db: Database, window: Window, shares: Sequence[float]) -> list[Level]:
    """How full the fleet was, step by step. Steps are whole minutes."""
    first, last = window.start_ms(0), window.start_ms(len(window))
    is_by_hour = window.step_ms % HOUR_MS == 0
    read = fleet_history.totals if is_by_hour else fleet_history.minutes
    async with db.reading() as connection:
        rows = await read(connection, first // HOUR_MS * HOUR_MS, last)
    return await asyncio.to_thread(_levels, window, rows, shares)


def _levels(window: Window, rows: Sequence[tuple[int, bytes]], shares: Sequence[float]) -> list[Level]:
    counts: dict[int, Ints] = {}
    for hour_ms, body in rows:
        for at_ms, row in _rows(hour_ms, body, 1 if window.step_ms % HOUR_MS == 0 else fleet.MINUTES):
            index = window.index(at_ms)
            counts[index] = counts[index] + row if index in counts else row
    nothing = np.zeros(fleet.BINS, np.int64)
    return [_level(window.start_ms(index), counts.get(index, nothing), shares) for index in range(len(window))]


def _rows(hour_ms: int, body: bytes, parts: int) -> list[tuple[int, Ints]]:
    """(when, histogram) of an hour, or of each of its minutes; nothing where it cannot be read."""
    try:
        counts = fleet.unpack_counts(body, parts)
    except CorruptChunk:
        return []
    return [(hour_ms + number * MINUTE_MS, row) for number, row in enumerate(counts)]


def _level(at_ms: int, counts: Ints, shares: Sequence[float]) -> Level:
    return Level(at_ms, int(counts.sum()), tuple(fleet.quantile(counts, share) for share in shares))


async def _highest(db: Database, from_ms: int, to_ms: int) -> Highest:
    async with db.reading() as connection:
        blocks = await fleet_history.peaks(connection, from_ms // HOUR_MS * HOUR_MS, to_ms)
    return await asyncio.to_thread(Highest, blocks)


async def _named(db: Database, found: Sequence[Peak | Climb]) -> list[Named]:
    async with db.reading() as connection:
        names = await pools.numbered(connection, [one.number for one in found])
    named = [(one, names[one.number]) for one in found if one.number in names]
    return [Named(host, role, pool, one) for one, (host, role, _, pool) in named]
