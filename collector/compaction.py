"""Turns the hot log into history: closed windows into chunks, and chunks into coarser ones.

Every step is one transaction: chunks, peaks and histograms are written and the hot rows taken out together, and what a
chunk holds already is not put in twice. So a step that is interrupted anywhere is simply done again. Bodies are
unpacked and chunks made in a thread, between a transaction that reads and one that writes: ingest waits for the few
milliseconds of the latter only.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.history.coarsen import Before, coarser
from collector.history.settle import Settled, Windows, closed_before, settled, windows
from collector.history.tiers import BELOW, HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Tier
from collector.metrics import Metrics
from collector.storage import chunks, cursors, fleet_history, hosts, hot, pools
from collector.storage.chunks import Due, Key
from collector.storage.database import AsyncConnection, Database
from collector.storage.hot import Logged
from collector.storage.pools import Numbered
from shared.clock import monotonic_s
from shared.logs import fields
from shared.model import Pool

HOSTS = 16
SHARE = hot.Share(rows=1_500, size=32 * 2**20)
"""A step: one window of 16 hosts that report each 10 s, three of one that reports each second."""
REST_S = 60.0
"""A round over hosts that have nothing costs a second at 10,000 of them."""
AGAIN_MS = 10 * MINUTE_MS
"""Late snapshots come in crowds: a coarser chunk is made anew this much later, once for all of them."""
SPREAD_MS = HOUR_MS
"""Coarser chunks of all hosts close at the same time; each host's is made at another moment of the hour after."""
log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Compaction:
    """One step after another, host by host, round and round. There must be one only."""

    db: Database
    keep_raw_ms: int
    metrics: Metrics
    clock: Callable[[], int]
    _after: int = field(default=0, init=False)
    """The host the round has come to."""

    async def compact(self) -> bool:
        """Do one step. True where more is waiting."""
        began_s = monotonic_s()
        has_settled, has_rolled = await self._settle(), await self._roll()
        if has_settled or has_rolled:
            # Half of the time at most: ingest and questions share this process.
            await asyncio.sleep(monotonic_s() - began_s)
            return True
        return self._after > 0

    # --- from the log ------------------------------------------------------------------------------------------------

    async def _settle(self) -> bool:
        """Settle what is closed of the next hosts; False where they have nothing."""
        now_ms = self.clock()
        host_ids, rows, is_all = await self.db.read(lambda connection: self._next_rows(connection, now_ms))
        if is_all:
            self._after = host_ids[-1] if len(host_ids) == HOSTS else 0
        if not rows:
            return False
        kept = [row for row in rows if row.taken_ms >= now_ms - self.keep_raw_ms]
        found = await asyncio.to_thread(windows, kept)
        ids = await self._numbers(found)
        old = await self.db.read(lambda connection: chunks.bodies(connection, RAW, found.bodies.keys()))
        made = await asyncio.to_thread(settled, found, ids, old)
        await self.db.transact(lambda connection: _write(connection, rows, found, made, now_ms))
        self._tell(len(rows) - len(kept), found, made)
        return True

    async def _next_rows(self, db: AsyncConnection, now_ms: int) -> tuple[list[int], list[Logged], bool]:
        """The next hosts, as much of theirs as a step takes, and whether that is all."""
        host_ids = await hosts.ids_after(db, self._after, HOSTS)
        done = await cursors.slowest(db)
        rows, is_all = await hot.unsettled(db, host_ids, SHARE, before_ms=closed_before(now_ms), up_to_id=done)
        return host_ids, rows, is_all

    async def _numbers(self, found: Windows) -> dict[int, dict[Pool, int]]:
        """The number of every pool that is named: from here on until the chunks are written nobody forgets it."""
        named, seen_ms = found.pools, found.end_ms
        known = await self.db.read(lambda connection: pools.entries(connection, named.keys()))
        if not all(_are_noted(known[host_id], some, seen_ms) for host_id, some in named.items()):
            known = await self.db.transact(lambda connection: pools.note(connection, named, seen_ms))
        return {host_id: {pool: one.number for pool, one in mine.items()} for host_id, mine in known.items()}

    def _tell(self, late: int, found: Windows, made: Settled) -> None:
        if late:
            log.warning("snapshots older than the raw history are dropped", extra=fields(count=late))
        for hot_id, why in found.unreadable.items():
            log.error("a stored snapshot cannot be read", extra=fields(hot_id=hot_id, why=why))
        _tell_corrupt(RAW, made.corrupt)
        self.metrics.count_settled(
            settled=sum(map(len, found.bodies.values())),
            late=late,
            unreadable=len(found.unreadable),
            size=sum(map(len, made.chunks.values())),
        )

    # --- from finer to coarser ---------------------------------------------------------------------------------------

    async def _roll(self) -> bool:
        """Make one coarser chunk that is due; False where none is."""
        now_ms = self.clock()
        roll = await self.db.read(lambda connection: _next_roll(connection, now_ms))
        if roll is None:
            return False
        due = roll.due
        body, unreadable = await asyncio.to_thread(coarser, due.tier, roll.bodies, roll.named, roll.known)
        corrupt = {(due.host_id, from_ms): why for from_ms, why in unreadable.items()}
        await self.db.transact(lambda connection: _write_rolled(connection, due, body, corrupt, now_ms))
        _tell_corrupt(BELOW[due.tier], corrupt)
        return True


async def _write(db: AsyncConnection, rows: Sequence[Logged], found: Windows, made: Settled, now_ms: int) -> None:
    for key, why in made.corrupt.items():
        await chunks.set_aside(db, RAW, key, why, now_ms)
    await chunks.note_lost(db, RAW, _lost(rows, found), now_ms)
    await chunks.put(db, RAW, made.chunks)
    await chunks.owe(db, [_owed(MINUTE, *key, now_ms) for key in made.chunks])
    await fleet_history.raise_peaks(db, made.peaks)
    await fleet_history.add_counts(db, made.counts)
    await hot.settle(db, rows, kept=found.unreadable)


def _lost(rows: Sequence[Logged], found: Windows) -> dict[Key, str]:
    """The chunks that lack a snapshot which nobody can read, and why."""
    bad = (row for row in rows if row.id in found.unreadable)
    return {(row.host_id, RAW.start_of(row.taken_ms)): f"a snapshot of it: {found.unreadable[row.id]}" for row in bad}


class _Roll(NamedTuple):
    """A coarser chunk that is due, and what it is made of."""

    due: Due
    bodies: Sequence[tuple[int, bytes]]
    named: dict[int, Pool]
    known: Before


async def _next_roll(db: AsyncConnection, now_ms: int) -> _Roll | None:
    found = await chunks.due(db, now_ms, 1)
    if not found:
        return None
    [due] = found
    below, end_ms = BELOW[due.tier], due.from_ms + due.tier.span_ms
    bodies = await chunks.of_host(db, below, due.host_id, due.from_ms, end_ms)
    aside = await chunks.aside(db, due.from_ms, end_ms, host_id=due.host_id)
    before = await chunks.bodies(db, due.tier, [(due.host_id, due.from_ms)])
    numbers = await pools.of_hosts(db, [due.host_id])
    named = {number: pool for pool, number in numbers[due.host_id].items()}
    known = Before(next(iter(before.values()), None), {one.from_ms for one in aside if one.tier is below})
    return _Roll(due, bodies, named, known)


async def _write_rolled(
    db: AsyncConnection, due: Due, body: bytes | None, corrupt: Mapping[Key, str], now_ms: int
) -> None:
    for key, why in corrupt.items():
        await chunks.set_aside(db, BELOW[due.tier], key, why, now_ms)
    if body is not None:
        await chunks.put(db, due.tier, {(due.host_id, due.from_ms): body})
        if due.tier is MINUTE:
            await chunks.owe(db, [_owed(HOUR, due.host_id, due.from_ms, now_ms)])
    await chunks.settle(db, due)


def _are_noted(known: Mapping[Pool, Numbered], named: Collection[Pool], seen_ms: int) -> bool:
    return all((one := known.get(pool)) is not None and one.is_noted(seen_ms) for pool in named)


def _owed(tier: Tier, host_id: int, from_ms: int, now_ms: int) -> tuple[Due, int]:
    start_ms = tier.start_of(from_ms)
    spread_ms = host_id * 2_654_435_761 % SPREAD_MS  # Knuth's multiplicative hash: neighbours lie far apart.
    return Due(tier, host_id, start_ms), max(start_ms + tier.span_ms + spread_ms, now_ms + AGAIN_MS)


def _tell_corrupt(tier: Tier, corrupt: Mapping[Key, str]) -> None:
    for (host_id, from_ms), why in corrupt.items():
        told = fields(tier=tier.name, host_id=host_id, from_ms=from_ms, why=why)
        log.error("a chunk cannot be read; it is set aside in the table quarantine", extra=told)
