"""GET /v1/alerts, GET /v1/transitions."""

from aiohttp import web

from collector.access.bearer import require_read
from collector.alerts.step import AlertState
from collector.api.params import Params
from collector.api.shapes import alert_shape, transition_shape
from collector.services import SERVICES
from collector.storage import alerts

MAX_TRANSITIONS = 1_000


async def list_alerts(request: web.Request) -> web.Response:
    """Where each alert stands, the hottest first."""
    await require_read(request)
    state = Params(request.query.items(), ("state",)).choice("state", tuple(AlertState))
    states = tuple(AlertState) if state is None else (AlertState(state),)
    async with request.app[SERVICES].db.reading() as connection:
        items = await alerts.current(connection, states)
    return web.json_response({"items": [alert_shape(item) for item in items]})


async def list_transitions(request: web.Request) -> web.Response:
    """How alerts came to stand where they do, the latest change first."""
    await require_read(request)
    params = Params(request.query.items(), ("host", "limit"))
    limit = params.integer("limit", default=100, low=1, high=MAX_TRANSITIONS)
    async with request.app[SERVICES].db.reading() as connection:
        items = await alerts.history(connection, limit=limit, host_name=params.text("host"))
    return web.json_response({"items": [transition_shape(item) for item in items]})
