"""What history and the log hold of one host over a stretch of time, as chunks with the names of their pools."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.fleet.host import Host
from collector.history import codec
from collector.history.chunk import Chunk, CorruptChunk
from collector.history.gather import gather
from collector.history.settle import windows
from collector.history.tiers import RAW, Tier
from collector.storage import chunks, hot, pools
from collector.storage.database import AsyncConnection
from collector.trends.window import Window
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
    """What one chunk's time holds; `is_damaged` where a chunk could not be read."""

    parts: list[Part] = field(default_factory=list)
    is_damaged: bool = False


async def stored(db: AsyncConnection, host: Host, tier: Tier, span: tuple[int, int]) -> Stored:
    """One host over [from, to) within the time of one chunk; of the raw tier with what only the log holds."""
    found = await chunks.bodies(db, tier, [(host.id, tier.start_of(span[0]))])
    logged = await _logged(db, host, span) if tier is RAW else []
    if not found and not logged:
        return Stored()
    named = {number: pool for pool, number in (await pools.of_hosts(db, [host.id]))[host.id].items()}
    return await asyncio.to_thread(_read, list(found.values()), logged, named, (tier, span[0]))


def _read(
    bodies: Sequence[bytes], logged: Sequence[hot.Logged], named: Mapping[int, Pool], where: tuple[Tier, int]
) -> Stored:
    try:
        parts = [Part(codec.decode(body), named) for body in bodies]
    except CorruptChunk as error:
        tier, from_ms = where
        log.error("a chunk cannot be read", extra=fields(tier=tier.name, from_ms=from_ms, why=error))  # noqa: TRY400
        return Stored(_fresh(logged), is_damaged=True)
    return Stored(parts + _fresh(logged))


def _fresh(logged: Sequence[hot.Logged]) -> list[Part]:
    found = windows(logged)
    parts = []
    for (host_id, _), bodies in found.bodies.items():
        ids = {pool: number for number, pool in enumerate(sorted(found.pools[host_id]))}
        parts.append(Part(gather(bodies, ids), {number: pool for pool, number in ids.items()}))
    return parts


async def _logged(db: AsyncConnection, host: Host, span: tuple[int, int]) -> list[hot.Logged]:
    window, found = Window(*span, span[1] - span[0]), list[hot.Logged]()
    after = (span[0], 0)
    while page := await hot.window(db, host.id, window, after=after, limit=PAGE):
        found += page
        after = (page[-1].taken_ms, page[-1].id)
    return found
