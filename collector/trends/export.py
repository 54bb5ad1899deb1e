"""A window of history as text, chunk by chunk: memory stays flat however much is asked for."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from collector.fleet.host import Host
from collector.history.export import header, lines
from collector.history.tiers import Tier
from collector.storage.database import Database
from collector.trends.stored import Part, stored


async def export(db: Database, hosts: Sequence[Host], tier: Tier, from_ms: int, to_ms: int) -> AsyncIterator[str]:
    """CSV of these hosts over [from_ms, to_ms): a header, then a piece a chunk. Raw history includes the log."""
    yield header(tier)
    for host in hosts:
        for start_ms in tier.starts(from_ms, to_ms):
            span = max(start_ms, from_ms), min(start_ms + tier.span_ms, to_ms)
            async with db.reading() as connection:
                found = await stored(connection, host, tier, span)
            for part in found.parts:
                yield await asyncio.to_thread(_lines, part, tier, host, span)


def _lines(part: Part, tier: Tier, host: Host, span: tuple[int, int]) -> str:
    return lines(part.chunk, tier, (host.name, host.role or ""), part.named, span)
