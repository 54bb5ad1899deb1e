"""A window of history as text, chunk by chunk: memory stays flat however much is asked for."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

from collector.fleet.host import Host
from collector.history import codec
from collector.history.chunk import CorruptChunk
from collector.history.export import header, lines
from collector.history.gather import gather
from collector.history.settle import windows
from collector.history.tiers import RAW, Tier
from collector.storage import chunks, hot, pools
from collector.storage.database import AsyncConnection, Database
from collector.trends.window import Window
from shared.logs import fields
from shared.model import Pool

PAGE = 64
log = logging.getLogger(__name__)


async def export(db: Database, hosts: Sequence[Host], tier: Tier, from_ms: int, to_ms: int) -> AsyncIterator[str]:
    """CSV of these hosts over [from_ms, to_ms): a header, then a piece a chunk. Raw history includes the log."""
    yield header(tier)
    for host in hosts:
        for start_ms in tier.starts(from_ms, to_ms):
            span = max(start_ms, from_ms), min(start_ms + tier.span_ms, to_ms)
            async with db.reading() as connection:
                pieces = await _pieces(connection, host, tier, span)
            for piece in pieces:
                yield piece


async def _pieces(db: AsyncConnection, host: Host, tier: Tier, span: tuple[int, int]) -> list[str]:
    found = await chunks.bodies(db, tier, [(host.id, tier.start_of(span[0]))])
    logged = await _logged(db, host, span) if tier is RAW else []
    if not found and not logged:
        return []
    numbers = {number: pool for pool, number in (await pools.of_hosts(db, [host.id]))[host.id].items()}
    who = (host.name, host.role or "")
    settled = [await asyncio.to_thread(_settled, body, tier, who, numbers, span) for body in found.values()]
    return settled + ([await asyncio.to_thread(_fresh, logged, who, span)] if logged else [])


async def _logged(db: AsyncConnection, host: Host, span: tuple[int, int]) -> list[hot.Logged]:
    window, found = Window(*span, span[1] - span[0]), list[hot.Logged]()
    after = (span[0], 0)
    while page := await hot.window(db, host.id, window, after=after, limit=PAGE):
        found += page
        after = (page[-1].taken_ms, page[-1].id)
    return found


def _settled(body: bytes, tier: Tier, who: tuple[str, str], numbers: dict[int, Pool], span: tuple[int, int]) -> str:
    try:
        return lines(codec.decode(body), tier, who, numbers, span)
    except CorruptChunk as error:
        log.error("a chunk cannot be read", extra=fields(tier=tier.name, from_ms=span[0], why=error))  # noqa: TRY400
        return ""


def _fresh(logged: Sequence[hot.Logged], who: tuple[str, str], span: tuple[int, int]) -> str:
    found = windows(logged)
    pieces = []
    for (host_id, _), bodies in found.bodies.items():
        ids = {pool: number for number, pool in enumerate(sorted(found.pools[host_id]))}
        pieces.append(lines(gather(bodies, ids), RAW, who, {number: pool for pool, number in ids.items()}, span))
    return "".join(pieces)
