"""GET /healthz, /readyz, /metrics: for machines that watch this machine, without a token.

Of pools /metrics tells whoever could read them elsewhere: with a token, or where nobody beyond this machine can ask.
"""

from typing import Annotated, TypedDict

from aiohttp import web

from collector import metrics
from collector.access.bearer import require_read
from collector.api.answer import told
from collector.fleet.document import one_of
from collector.fleet.series import Families, series
from collector.notify.log import LogChannel
from collector.services import SERVICES, Services
from collector.storage import alerts, chunks, outbox, room

FORWARDING = ("Forwarded", "X-Forwarded-For")
"""What a proxy adds on behalf of whoever asked it."""


class HealthShape(TypedDict):
    """The process answers; `ready`: its database does too."""

    status: Annotated[str, one_of(("ok", "ready"))]


async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return told(HealthShape(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """The database answers too; otherwise 503."""
    await request.app[SERVICES].db.ping()
    return told(HealthShape(status="ready"))


async def expose(request: web.Request) -> web.Response:
    """The collector's own series, and the fleet's fullest pools."""
    services = request.app[SERVICES]
    pools = await _pools(services) if await _may_read(request) else series(None, {}, 0)
    everyone = await services.looks.muster(services.db, services.clock())
    async with services.db.reading() as connection:
        by_state = await alerts.count_by_state(connection)
        owed = dict.fromkeys([LogChannel.name, *services.channels], 0) | await outbox.count_owed(connection)
        taken, set_aside = await room.taken(connection), await chunks.set_aside_in_all(connection)
    services.metrics.show_room(total=taken.total, free=taken.free, set_aside=set_aside)
    services.metrics.show_stored(everyone.presences, by_state, owed)
    return web.Response(body=services.metrics.exposition(pools), headers={"Content-Type": metrics.CONTENT_TYPE})


async def _may_read(request: web.Request) -> bool:
    """Whether whoever asks may know of pools. Raises Unauthenticated or Forbidden for a token that does not count."""
    if "Authorization" in request.headers:
        await require_read(request)
        return True
    return request.app[SERVICES].is_local and not any(name in request.headers for name in FORWARDING)


async def _pools(services: Services) -> Families:
    if not services.metrics_pools:
        return series(None, {}, 0)
    look = await services.looks.census(services.db, services.metrics_pools, services.clock())
    async with services.db.reading() as connection:
        ends = await alerts.foretold(connection, {item.host for item in look.pools.fullest})
    return series(look, ends, services.clock())
