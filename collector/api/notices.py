"""GET /v1/notices."""

from aiohttp import web

from collector.api.answer import told
from collector.api.cursor import BeforeId, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.shapes import notice_shape
from collector.services import SERVICES
from collector.storage import outbox


async def list_notices(request: web.Request) -> web.Response:
    """What people were told, by which channel, and every attempt, newest first."""
    params = params_of(request)
    limit = params.integer("limit", default=100, low=1, high=MOST_ITEMS)
    before, channel = cursor_of(params, BeforeId), params.text("channel")
    async with request.app[SERVICES].db.reading() as connection:
        found = await outbox.listing(
            connection, limit=limit + 1, channel=channel, before_id=before.id if before else None
        )
    return told(page_of(found, limit, notice_shape, lambda one: BeforeId(one.id)))
