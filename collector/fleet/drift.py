"""Which hosts have other settings than the rest of their role, from what each reported last."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from collector.alerts.survey import Summary, drifters, summarise
from collector.alerts.where import Place
from collector.storage import hosts, hot
from collector.storage.database import Database
from collector.storage.hot import Logged
from shared import wire
from shared.logs import fields

PAGE = 64
log = logging.getLogger(__name__)


async def drift(db: Database) -> dict[str, dict[str, Any]]:
    """By host, what differs: {setting: {"here": …, "role": …}}. Roles of fewer than three hosts have no usual."""
    async with db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
    known: dict[str, Summary] = {}
    for start in range(0, len(everyone), PAGE):
        async with db.reading() as connection:
            found = await hot.last_good(connection, [host.id for host in everyone[start : start + PAGE]])
        known |= await asyncio.to_thread(_summaries, found.values())
    return drifters(known)


def _summaries(found: Iterable[Logged]) -> dict[str, Summary]:
    known = {}
    for logged in found:
        try:
            snapshot = wire.decode(logged.body)
        except wire.WireError as error:
            log.warning("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))
            continue
        place = Place(host=snapshot.host, role=snapshot.labels.get("role", ""), labels=snapshot.labels)
        known[snapshot.host] = summarise(place, snapshot, ())
    return known
