"""GET /v1/top, /v1/growth, /v1/peers, /v1/near-misses: which pools came closest to their end, by the hour."""

from typing import Any

from aiohttp import web

from collector.access.bearer import require_read
from collector.api.params import InvalidParameter, Params
from collector.fleet.document import pool_document
from collector.history.tiers import DAY_MS, Reach
from collector.services import SERVICES
from collector.trends import rank
from collector.trends.peaks import Peak
from collector.trends.rank import Named

MAX_ITEMS = 1_000
WEEKS = 4


async def show_top(request: web.Request) -> web.Response:
    """The highest occupancies of a window; by default the last 24 hours."""
    await require_read(request)
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("from", "to", "limit"))
    from_ms, to_ms = hours_of(params, services.reach(), DAY_MS)
    items = await rank.top(services.db, from_ms, to_ms, _limit(params, 50))
    return _answer(from_ms, to_ms, items)


async def show_growth(request: web.Request) -> web.Response:
    """The fastest climbers; by default yesterday against the day before."""
    await require_read(request)
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("from", "to", "limit"))
    from_ms, to_ms = hours_of(params, services.reach(), 2 * DAY_MS)
    items = await rank.growth(services.db, from_ms, to_ms, _limit(params, 50))
    return _answer(from_ms, to_ms, items)


async def show_peers(request: web.Request) -> web.Response:
    """Which hosts press on this backend."""
    await require_read(request)
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("peer", "from", "to", "limit"))
    params.required("peer", "10.0.0.2:8080")
    peer, peer_port = params.endpoint("peer") or (b"", None)
    from_ms, to_ms = hours_of(params, services.reach(), DAY_MS)
    items = await rank.peers(services.db, peer, peer_port, (from_ms, to_ms), _limit(params, 100))
    return _answer(from_ms, to_ms, items)


async def show_near_misses(request: web.Request) -> web.Response:
    """By week, newest first, the pools that came closest to their end."""
    await require_read(request)
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("from", "to", "limit"))
    from_ms, to_ms = hours_of(params, services.reach(), WEEKS * rank.WEEK_MS)
    weeks = await rank.near_misses(services.db, from_ms, to_ms, _limit(params, 10))
    items = [{"week_ms": week_ms, **peak_shape(item)} for week_ms, found in weeks for item in found]
    return web.json_response({"from_ms": from_ms, "to_ms": to_ms, "items": items})


def hours_of(params: Params, reach: Reach, span_ms: int) -> tuple[int, int]:
    """[from, to) as asked, by default the last `span_ms`; peaks are kept as long as minutes."""
    to_ms = params.time_ms("to")
    to_ms = reach.now_ms + 1 if to_ms is None else to_ms
    from_ms = params.time_ms("from")
    from_ms = max(0, to_ms - span_ms) if from_ms is None else from_ms
    if to_ms <= from_ms:
        raise InvalidParameter("to", "must be after from")
    if to_ms - from_ms > reach.keep.minute_ms + DAY_MS:
        days = reach.keep.minute_ms // DAY_MS
        raise InvalidParameter("from", f"peaks are kept for {days} days; ask for a shorter window")
    return from_ms, to_ms


def peak_shape(item: Named) -> dict[str, Any]:
    """A pool with its peak, or with how it rose."""
    named = {"host": item.host, "role": item.role, **pool_document(item.pool)}
    found = item.found
    if isinstance(found, Peak):
        margin = round(1 - found.occupancy, 6)
        return named | {"occupancy": found.occupancy, "margin": margin, "hour_ms": found.hour_ms}
    rise = round(found.after - found.before, 6)
    return named | {"before": found.before, "after": found.after, "rise": rise}


def _limit(params: Params, default: int) -> int:
    return params.integer("limit", default=default, low=1, high=MAX_ITEMS)


def _answer(from_ms: int, to_ms: int, items: list[Named]) -> web.Response:
    return web.json_response({"from_ms": from_ms, "to_ms": to_ms, "items": [peak_shape(item) for item in items]})
