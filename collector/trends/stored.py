"""What history and the log hold of one host over a stretch of time, as chunks with the names of their pools.

A tier tells what the compaction would come to if it had done all that it owes: where a coarser chunk is still to be
made, or made anew, it is made here from the finer one and the log. What was there and cannot be read is named.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from collector.fleet.host import Host
from collector.history import codec, rollup
from collector.history.chunk import Chunk, CorruptChunk
from collector.history.gather import gather
from collector.history.merge import merged
from collector.history.settle import windows
from collector.history.tiers import BELOW, MINUTE, RAW, TIERS, Reach, Tier
from collector.storage import chunks, hot, pools
from collector.storage.chunks import Aside
from collector.storage.database import AsyncConnection
from collector.trends.window import Span, Window, united
from shared.logs import fields
from shared.model import Pool

PAGE = 64
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk, and its pools by number."""

    chunk: Chunk
    named: Mapping[int, Pool]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known, in order of time; `lost`: stretches of which history cannot tell all that it once held."""

    parts: list[Part] = field(default_factory=list)
    lost: list[Span] = field(default_factory=list)


async def stored(db: AsyncConnection, host: Host, tier: Tier, span: Span, reach: Reach) -> Stored:
    """One host over a span within the time of one chunk. Chunks may begin before it, and end after it."""
    numbers = (await pools.of_hosts(db, [host.id]))[host.id]
    end_ms = tier.start_of(span[0]) + tier.span_ms
    aside = await chunks.aside(db, tier.start_of(span[0]), end_ms, host_id=host.id)
    look = _Look(db, host.id, reach, numbers, aside)
    found = await look.at(tier, *span)
    named = {number: pool for pool, number in numbers.items()}
    return Stored([Part(chunk, named) for chunk in found], united(look.lost, span))


@dataclass(slots=True)
class _Look:
    """At one host, within one view of the database. `numbers` grows by pools that only the log names."""

    db: AsyncConnection
    host_id: int
    reach: Reach
    numbers: dict[Pool, int]
    aside: Sequence[Aside]
    lost: list[Span] = field(default_factory=list)

    async def at(self, tier: Tier, from_ms: int, to_ms: int) -> list[Chunk]:
        """What the tier has to tell of [from_ms, to_ms)."""
        if tier is RAW:
            return await self._raw(from_ms, to_ms)
        found: list[Chunk] = []
        for start_ms in tier.starts(from_ms, to_ms):
            within = max(start_ms, from_ms), min(start_ms + tier.span_ms, to_ms)
            found += await self._rolled(tier, start_ms, within)
        return found

    async def _raw(self, from_ms: int, to_ms: int) -> list[Chunk]:
        bodies = dict(await chunks.of_host(self.db, RAW, self.host_id, from_ms, to_ms))
        logged = await self._logged(RAW.start_of(from_ms), RAW.start_of(to_ms - 1) + RAW.span_ms)
        self._lose([one for one in self.aside if one.tier is RAW and one.from_ms < to_ms and one.to_ms > from_ms])
        return await asyncio.to_thread(self._merged, bodies, logged)

    def _merged(self, bodies: Mapping[int, bytes], logged: Sequence[hot.Logged]) -> list[Chunk]:
        """As the compaction would settle it: what a chunk holds already is not told twice."""
        found = windows(logged)
        unreadable = {RAW.start_of(one.taken_ms) for one in logged if one.id in found.unreadable}
        self.lost += [(start_ms, start_ms + RAW.span_ms) for start_ms in unreadable]
        fresh = {from_ms: window for (_, from_ms), window in found.bodies.items()}
        for pool in sorted({pool for named in found.pools.values() for pool in named} - self.numbers.keys()):
            self.numbers[pool] = max(self.numbers.values(), default=0) + 1
        made = []
        for from_ms in sorted({*bodies, *fresh}):
            old = self._read(RAW, from_ms, bodies[from_ms]) if from_ms in bodies else None
            new = gather(fresh[from_ms], self.numbers) if from_ms in fresh else None
            made += [merged(old, new)] if old and new else [one for one in (old, new) if one]
        return made

    async def _rolled(self, tier: Tier, start_ms: int, within: Span) -> list[Chunk]:
        """One chunk's time of a coarser tier: the chunk, or what it is still to be made from."""
        is_stale, key = await self._is_stale(tier, start_ms), (self.host_id, start_ms)
        body = (await chunks.bodies(self.db, tier, [key])).get(key)
        is_aside = any(one.tier is tier and one.from_ms == start_ms for one in self.aside)
        if body and not is_stale:
            chunk = await asyncio.to_thread(self._read, tier, start_ms, body)
            if chunk:
                self._lose([one for one in self.aside if one.tier.number < tier.number and _is_in(one, tier, start_ms)])
                return [chunk]
        elif not is_stale and not is_aside:
            return []
        elif is_aside and not self.reach.holds(BELOW[tier], start_ms):
            self.lost.append((start_ms, start_ms + tier.span_ms))
        return await self._made_anew(tier, within)

    async def _made_anew(self, tier: Tier, within: Span) -> list[Chunk]:
        """Out of one finer chunk after the other: of a host with very many pools there is room for a few only."""
        below, step_ms, made = BELOW[tier], tier.step_ms, list[Chunk]()
        from_ms, to_ms = within[0] // step_ms * step_ms, -(-within[1] // step_ms) * step_ms
        for start_ms in below.starts(from_ms, to_ms):
            finer = await self.at(below, max(start_ms, from_ms), min(start_ms + below.span_ms, to_ms))
            if finer:
                made.append(await asyncio.to_thread(self._coarser, tier, finer))
        return made

    async def _is_stale(self, tier: Tier, start_ms: int) -> bool:
        """Whether a finer tier or the log knows more than the chunk that is there, if one is."""
        end_ms = start_ms + tier.span_ms
        for finer in TIERS[MINUTE.number : tier.number + 1]:
            if await chunks.owed(self.db, finer, self.host_id, start_ms, end_ms):
                return True
        kept_ms = max(start_ms, self.reach.now_ms - self.reach.keep.raw_ms)  # What is older is never settled.
        return await hot.has_unsettled(self.db, self.host_id, kept_ms, end_ms)

    def _coarser(self, tier: Tier, finer: Sequence[Chunk]) -> Chunk:
        if tier is MINUTE:
            return rollup.rolled(finer, tier.step_ms, {number: pool for pool, number in self.numbers.items()})
        return rollup.rolled_again([rollup.joined(finer)], tier.step_ms)

    def _read(self, tier: Tier, from_ms: int, body: bytes) -> Chunk | None:
        try:
            return codec.decode(body)
        except CorruptChunk as error:
            log.error("a chunk cannot be read", extra=fields(tier=tier.name, from_ms=from_ms, why=error))  # noqa: TRY400
            if tier is RAW or not self.reach.holds(BELOW[tier], from_ms):
                self.lost.append((from_ms, from_ms + tier.span_ms))
            return None

    def _lose(self, gone: Collection[Aside]) -> None:
        self.lost += [(one.from_ms, one.to_ms) for one in gone]

    async def _logged(self, from_ms: int, to_ms: int) -> list[hot.Logged]:
        window, found = Window(from_ms, to_ms, to_ms - from_ms), list[hot.Logged]()
        after = (from_ms, 0)
        while page := await hot.window(self.db, self.host_id, window, after=after, limit=PAGE):
            found += page
            after = (page[-1].taken_ms, page[-1].id)
        return found


def _is_in(one: Aside, tier: Tier, start_ms: int) -> bool:
    return one.from_ms < start_ms + tier.span_ms and one.to_ms > start_ms
