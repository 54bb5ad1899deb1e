"""GET /healthz, /readyz, /metrics: for machines that watch this machine, without a token."""

from collections import Counter
from typing import Annotated, TypedDict

from aiohttp import web

from collector import metrics
from collector.api.answer import told
from collector.fleet.document import one_of
from collector.services import SERVICES
from collector.storage import alerts, chunks, hosts, outbox, room


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
    """The collector's own series."""
    services = request.app[SERVICES]
    async with services.db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
        by_state = await alerts.count_by_state(connection)
        owed = await outbox.count_owed(connection)
        taken, set_aside = await room.taken(connection), await chunks.count_set_aside(connection)
    now_ms = services.clock()
    services.metrics.show_room(total=taken.total, free=taken.free, set_aside=set_aside)
    services.metrics.show_stored(Counter(host.presence(now_ms).value for host in everyone), by_state, owed)
    return web.Response(body=services.metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})
