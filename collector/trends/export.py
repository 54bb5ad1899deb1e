"""A window of history as text, chunk by chunk: memory stays flat however much is asked for."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from collector.fleet.host import Host
from collector.history.export import header, lines, losses
from collector.history.tiers import Reach, Tier
from collector.storage.database import Database
from collector.trends.stored import Part, stored
from collector.trends.window import Span


async def export(db: Database, hosts: Sequence[Host], tier: Tier, asked: Span, reach: Reach) -> AsyncIterator[str]:
    """CSV of these hosts over [from, to): a header, then a piece a chunk, and a piece where something is lost."""
    yield header(tier)
    for host in hosts:
        who = host.name, host.role or ""
        for start_ms in tier.starts(*asked):
            span = max(start_ms, asked[0]), min(start_ms + tier.span_ms, asked[1])
            async with db.reading() as connection:
                found = await stored(connection, host, tier, span, reach)
            for part in found.parts:
                yield await asyncio.to_thread(_lines, part, tier, who, span)
            if found.lost:
                yield losses(tier, who, found.lost)


def _lines(part: Part, tier: Tier, who: tuple[str, str], span: Span) -> str:
    return lines(part.chunk, tier, who, part.named, span)
