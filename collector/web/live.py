"""Server-sent events: when something new was received or decided, the page fetches itself anew."""

import asyncio

from aiohttp import web

from collector.services import SERVICES, Services
from collector.storage import alerts, cursors, hot
from collector.web.session import Person, person_of

LOOK_S = 1.0
MOST_VIEWERS = 500
LIFE_LOOKS = 3_600
"""A stream ends after an hour; the browser opens another, and its session is asked for again."""
_viewers: web.AppKey[set[object]] = web.AppKey("viewers", set)
CHECK_LOOKS = 15
"""After so many looks a stream asks again whether its session lives, and says something, so that proxies keep it."""


def prepare(app: web.Application) -> None:
    """Count this app's viewers from none."""
    app[_viewers] = set()


async def stream(request: web.Request, _person: Person) -> web.StreamResponse:
    """`event: change` with a version, each time it is another."""
    viewers, me = request.app[_viewers], object()
    if len(viewers) >= MOST_VIEWERS:
        return web.Response(status=503, headers={"Retry-After": "30"})
    response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    viewers.add(me)
    try:
        await response.prepare(request)
        await _tell(request, response)
    except ConnectionError:
        pass  # They closed the page.
    finally:
        viewers.discard(me)
    return response


async def _tell(request: web.Request, response: web.StreamResponse) -> None:
    services, told = request.app[SERVICES], ""
    await response.write(b"retry: 3000\n\n")
    for look in range(LIFE_LOOKS):
        if look % CHECK_LOOKS == CHECK_LOOKS - 1:
            if await person_of(request) is None:
                return
            await response.write(b": here\n\n")
        version = await version_of(services)
        if version != told:
            told = version
            await response.write(f"event: change\ndata: {version}\n\n".encode())
        await asyncio.sleep(LOOK_S)


async def version_of(services: Services) -> str:
    """Another text whenever a snapshot came or an alert moved."""
    async with services.db.reading() as connection:
        end = await cursors.read(connection, hot.LOG_END)
        moved = await alerts.newest_transition(connection)
    return f"{end.hot_id}-{moved}"
