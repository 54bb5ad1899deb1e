"""GET /v1/notices, GET /v1/rules."""

from dataclasses import asdict

from aiohttp import web

from collector.access.bearer import require_read
from collector.api.params import Params
from collector.api.shapes import notice_shape
from collector.services import SERVICES
from collector.storage import outbox

MAX_NOTICES = 1_000


async def list_notices(request: web.Request) -> web.Response:
    """What people were told, by which channel, and every attempt, newest first."""
    await require_read(request)
    params = Params(request.query.items(), ("channel", "limit"))
    limit = params.integer("limit", default=100, low=1, high=MAX_NOTICES)
    async with request.app[SERVICES].db.reading() as connection:
        told = await outbox.listing(connection, limit=limit, channel=params.text("channel"))
    return web.json_response({"items": [notice_shape(one) for one in told]})


async def list_rules(request: web.Request) -> web.Response:
    """What is watched."""
    await require_read(request)
    return web.json_response({"items": [asdict(rule) for rule in request.app[SERVICES].rules]})
