"""GET /v1/pools."""

from dataclasses import replace

from aiohttp import web

from collector.api.answer import told
from collector.api.cursor import AfterPool, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.params import Params
from collector.api.shapes import pool_shape
from collector.fleet.host import PoolNow
from collector.fleet.pools import Wanted, hotness, hottest
from collector.services import SERVICES
from shared.limits import MAX_POOLS
from shared.model import Pool

ORDERS = ("occupancy", "name")


async def list_pools(request: web.Request) -> web.Response:
    """The latest readings, the hottest first."""
    params, services = params_of(request), request.app[SERVICES]
    wanted = wanted_of(params)
    found = await hottest(services.db, replace(wanted, limit=wanted.limit + 1), services.clock())
    return told(page_of(found, wanted.limit, pool_shape, _cursor))


def wanted_of(params: Params) -> Wanted:
    """Which pools the query asks for."""
    peer, peer_port = params.endpoint("peer") or (None, None)
    after = cursor_of(params, AfterPool)
    return Wanted(
        host=params.text("host"),
        peer=peer,
        peer_port=peer_port,
        min_occupancy=params.number("min_occupancy", low=0.0, high=1.0) or 0.0,
        limit=params.integer("limit", default=100, low=1, high=MAX_POOLS),
        after=(-after.occupancy, after.headroom_min, after.host, _pool(after)) if after else None,
        by_name=params.choice("order", ORDERS) == "name",
    )


def _cursor(item: PoolNow) -> AfterPool:
    coolness, headroom_min, host, pool = hotness(item)
    return AfterPool(-coolness, headroom_min, host, pool.netns, pool.kind, pool.local, pool.peer, pool.peer_port)


def _pool(after: AfterPool) -> Pool:
    return Pool(after.netns, after.kind, after.local, after.peer, after.peer_port)
