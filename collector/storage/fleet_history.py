"""What is kept over all hosts: peaks by the hour, histograms by the minute."""

import logging
from collections.abc import Collection, Mapping

import numpy as np
from sqlalchemy import delete, select, tuple_

from collector.history.chunk import CorruptChunk, Ints
from collector.history.fleet import (
    BINS,
    BLOCK,
    MINUTES,
    Peaks,
    Place,
    pack_counts,
    pack_peaks,
    unpack_counts,
    unpack_peaks,
)
from collector.storage import tables, upsert
from collector.storage.database import AsyncConnection
from shared.logs import fields

peak_hour, fleet_hour = tables.peak_hour, tables.fleet_hour
log = logging.getLogger(__name__)


async def raise_peaks(db: AsyncConnection, seen: Mapping[Place, Peaks]) -> None:
    """Bring blocks up to date: of two peaks the higher stays."""
    found = await _blocks(db, seen.keys())
    rows = [
        {"from_ms": hour, "block": number, "body": pack_peaks(_higher(block, found.get((hour, number))))}
        for (hour, number), block in seen.items()
    ]
    await upsert.put(db, peak_hour, rows)


async def peaks(db: AsyncConnection, from_ms: int, to_ms: int) -> list[tuple[int, int, bytes]]:
    """(hour, number of the block, packed block) of the hours that begin in [from_ms, to_ms)."""
    within = (peak_hour.c.from_ms >= from_ms) & (peak_hour.c.from_ms < to_ms)
    query = select(peak_hour.c.from_ms, peak_hour.c.block, peak_hour.c.body).where(within)
    return [(row.from_ms, row.block, row.body) for row in await db.execute(query)]


async def add_counts(db: AsyncConnection, changes: Mapping[int, Ints]) -> None:
    """Add to the histograms of these hours."""
    query = select(fleet_hour.c.from_ms, fleet_hour.c.minutes).where(fleet_hour.c.from_ms.in_(list(changes)))
    found = {row.from_ms: row.minutes for row in await db.execute(query)}
    rows = []
    for hour, change in changes.items():
        # Never below nothing: what was counted before a broken histogram was begun anew is not there to be taken off.
        counts = np.maximum(change + _counts(hour, found.get(hour)), 0)
        packed = pack_counts(counts)
        rows.append({"from_ms": hour, "total": pack_counts(counts.sum(axis=0)), "minutes": packed})
    await upsert.put(db, fleet_hour, rows)


async def totals(db: AsyncConnection, from_ms: int, to_ms: int) -> list[tuple[int, bytes]]:
    """(hour, packed histogram) of the hours that begin in [from_ms, to_ms), in order."""
    within = (fleet_hour.c.from_ms >= from_ms) & (fleet_hour.c.from_ms < to_ms)
    query = select(fleet_hour.c.from_ms, fleet_hour.c.total).where(within).order_by(fleet_hour.c.from_ms)
    return [(row.from_ms, row.total) for row in await db.execute(query)]


async def minutes(db: AsyncConnection, from_ms: int, to_ms: int) -> list[tuple[int, bytes]]:
    """The same, each hour with its minutes."""
    within = (fleet_hour.c.from_ms >= from_ms) & (fleet_hour.c.from_ms < to_ms)
    query = select(fleet_hour.c.from_ms, fleet_hour.c.minutes).where(within).order_by(fleet_hour.c.from_ms)
    return [(row.from_ms, row.minutes) for row in await db.execute(query)]


async def drop(db: AsyncConnection, before_ms: int) -> int:
    """Forget hours before `before_ms`. Answers rows."""
    gone = 0
    for table in (peak_hour, fleet_hour):
        gone += (await db.execute(delete(table).where(table.c.from_ms < before_ms))).rowcount
    return gone


async def _blocks(db: AsyncConnection, places: Collection[Place]) -> dict[Place, Peaks]:
    query = select(peak_hour).where(tuple_(peak_hour.c.from_ms, peak_hour.c.block).in_(list(places)))
    return {(row.from_ms, row.block): _peaks(row.from_ms, row.body) for row in await db.execute(query)}


def _peaks(hour: int, body: bytes) -> Peaks:
    try:
        return unpack_peaks(body)
    except CorruptChunk as error:
        log.error("peaks cannot be read and are begun anew", extra=fields(from_ms=hour, why=error))  # noqa: TRY400
        return np.zeros(BLOCK, np.uint16)


def _counts(hour: int, body: bytes | None) -> Ints:
    if body is None:
        return np.zeros((MINUTES, BINS), np.int64)
    try:
        return unpack_counts(body, MINUTES)
    except CorruptChunk as error:
        log.error("a histogram cannot be read and is begun anew", extra=fields(from_ms=hour, why=error))  # noqa: TRY400
        return np.zeros((MINUTES, BINS), np.int64)


def _higher(block: Peaks, other: Peaks | None) -> Peaks:
    return block if other is None else np.maximum(block, other)
