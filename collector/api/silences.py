"""GET, POST /v1/silences; DELETE /v1/silences/{id}."""

from aiohttp import web

from collector.access.bearer import require_admin, require_read
from collector.alerts.silences import Silence
from collector.api.body import built, document_in
from collector.api.shapes import silence_shape
from collector.services import SERVICES
from collector.storage import silences


async def list_silences(request: web.Request) -> web.Response:
    """Those active and those to come."""
    await require_read(request)
    now_ms = request.app[SERVICES].clock()
    async with request.app[SERVICES].db.reading() as connection:
        found = await silences.current(connection, now_ms)
    return web.json_response({"items": [silence_shape(one, now_ms) for one in found]})


async def add_silence(request: web.Request) -> web.Response:
    """Make one of `author reason starts_ms ends_ms where rule severity`; 201 with its shape."""
    await require_admin(request)
    now_ms = request.app[SERVICES].clock()
    made = _silence(await request.read(), now_ms)
    async with request.app[SERVICES].db.writing() as connection:
        silence_id = await silences.add(connection, made)
    return web.json_response({"id": silence_id}, status=201)


async def expire_silence(request: web.Request) -> web.Response:
    """End it now; 404 where there is none of that id."""
    await require_admin(request)
    text = request.match_info["id"]
    silence_id = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0  # noqa: PLR2004 - an id
    services = request.app[SERVICES]
    async with services.db.writing() as connection:
        if not await silences.expire(connection, silence_id, services.clock()):
            raise web.HTTPNotFound
    return web.Response(status=204)


def _silence(body: bytes, now_ms: int) -> Silence:
    given = document_in(body)
    return built(Silence, {"starts_ms": now_ms, "where": {}, **given, "created_ms": now_ms, "id": 0})
