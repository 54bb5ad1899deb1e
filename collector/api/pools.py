"""GET /v1/pools."""

from aiohttp import web

from collector.access.bearer import require_read
from collector.api.params import Params
from collector.api.shapes import pool_shape
from collector.fleet.pools import Wanted, hottest
from collector.services import SERVICES
from shared.limits import MAX_POOLS


async def list_pools(request: web.Request) -> web.Response:
    """The latest readings, hottest first."""
    await require_read(request)
    services = request.app[SERVICES]
    wanted = wanted_of(Params(request.query.items(), ("host", "peer", "min_occupancy", "limit")))
    items = await hottest(services.db, wanted, services.clock())
    return web.json_response({"items": [pool_shape(item) for item in items]})


def wanted_of(params: Params) -> Wanted:
    """Which pools the query asks for."""
    peer, peer_port = params.endpoint("peer") or (None, None)
    return Wanted(
        host=params.text("host"),
        peer=peer,
        peer_port=peer_port,
        min_occupancy=params.number("min_occupancy", low=0.0, high=1.0) or 0.0,
        limit=params.integer("limit", default=100, low=1, high=MAX_POOLS),
    )
