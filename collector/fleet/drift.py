"""Which hosts have other settings than the rest of their role, from what each reported last."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from collector.alerts.survey import Summary, drifters, settings_in
from collector.alerts.where import Place
from collector.fleet.host import Host
from collector.fleet.pools import PAGE, bodies_of
from collector.packed import opened
from collector.storage import hosts
from collector.storage.database import Database
from collector.storage.hot import Logged
from shared import wire
from shared.logs import fields

log = logging.getLogger(__name__)


async def drift(db: Database, everyone: Sequence[Host] | None = None) -> dict[str, dict[str, Any]]:
    """By host, what differs: {setting: {"here": …, "role": …}}. Roles of fewer than three hosts have no usual.

    `everyone`: all hosts, where somebody has just asked for them.
    """
    if everyone is None:
        async with db.reading() as connection:
            everyone = await hosts.all_hosts(connection)
    known: dict[str, Summary] = {}
    for start in range(0, len(everyone), PAGE):
        page = everyone[start : start + PAGE]
        known |= await asyncio.to_thread(_summaries, page, await bodies_of(db, page))
    return drifters(known)


def _summaries(page: Sequence[Host], bodies: Mapping[int, Logged]) -> dict[str, Summary]:
    found = ((host, settings_of(bodies[host.id])) for host in page if host.id in bodies)
    return {
        host.name: Summary(Place(host=host.name, role=host.role or "", labels=host.labels), settings=settings)
        for host, settings in found
    }


def settings_of(logged: Logged) -> tuple[object, ...] | None:
    """What a host can drift in, as it told last; None where that cannot be read."""
    found = opened(logged.body)
    if found:
        return found.settings
    try:
        return settings_in(wire.decode(logged.body))
    except wire.WireError as error:
        log.warning("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))
        return None
