"""GET /v1/fleet, /v1/drift, /v1/storage: the fleet as a whole, and the room its history takes."""

from aiohttp import web

from collector.access.bearer import require_read
from collector.api.params import InvalidParameter, Params
from collector.api.trend import DEFAULT_POINTS
from collector.fleet.drift import drift
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE_MS, TIERS
from collector.services import SERVICES
from collector.storage import chunks, room
from collector.trends import rank
from collector.trends.window import InvalidWindow, Window

SHARES = (0.5, 0.95, 0.99, 1.0)
MAX_SHARES = 10
MAX_STEP_S = 31 * 24 * 3600


async def show_fleet(request: web.Request) -> web.Response:
    """Quantiles of the occupancy of all pools over time; by default the last 24 hours."""
    await require_read(request)
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("from", "to", "step", "quantiles"))
    window, shares = window_of(params, services.clock()), shares_of(params)
    found = await rank.levels(services.db, window, shares)
    points = [{"at_ms": one.at_ms, "pool_minutes": one.pool_minutes, "occupancy": list(one.quantiles)} for one in found]
    told = {"from_ms": window.from_ms, "to_ms": window.to_ms, "step_ms": window.step_ms, "quantiles": list(shares)}
    return web.json_response(told | {"points": points})


async def show_drift(request: web.Request) -> web.Response:
    """Hosts whose settings differ from those of their role."""
    await require_read(request)
    Params(request.query.items(), ())
    found = await drift(request.app[SERVICES].db)
    return web.json_response({"items": [{"host": host, "settings": found[host]} for host in sorted(found)]})


async def show_storage(request: web.Request) -> web.Response:
    """How far history goes back, and the bytes it takes."""
    await require_read(request)
    services = request.app[SERVICES]
    Params(request.query.items(), ())
    async with services.db.reading() as connection:
        extents = [await chunks.extent(connection, tier) for tier in TIERS]
        taken = await room.taken(connection)
        set_aside = await chunks.count_set_aside(connection)
    tiers = [
        {
            "tier": one.tier.name,
            "oldest_ms": one.oldest_ms,
            "newest_ms": one.newest_ms,
            "keep_ms": services.keep.of(one.tier),
        }
        for one in extents
    ]
    told = {"bytes": taken.total, "free_bytes": taken.free, "tables": taken.tables}
    return web.json_response(told | {"chunks_set_aside": set_aside, "tiers": tiers})


def window_of(params: Params, now_ms: int) -> Window:
    """What the query asks for, in whole minutes."""
    to_ms = params.time_ms("to")
    to_ms = now_ms + 1 if to_ms is None else to_ms
    from_ms = params.time_ms("from")
    from_ms = max(0, to_ms - DAY_MS) if from_ms is None else from_ms
    step_s = params.number("step", low=60, high=MAX_STEP_S)
    step_ms = _default_step_ms(to_ms - from_ms) if step_s is None else round(step_s * 1000)
    if step_ms % MINUTE_MS:
        raise InvalidParameter("step", "whole minutes are needed: a multiple of 60")
    try:
        return Window(from_ms, to_ms, step_ms)
    except InvalidWindow as error:
        raise InvalidParameter(error.parameter, str(error)) from None


def shares_of(params: Params) -> tuple[float, ...]:
    """Which quantiles are asked for, like 0.5,0.95."""
    text = params.text("quantiles")
    if text is None:
        return SHARES
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if not 1 <= len(shares) <= MAX_SHARES or not all(0 <= share <= 1 for share in shares):
        raise InvalidParameter("quantiles", f"1 to {MAX_SHARES} numbers from 0 to 1 are needed, like 0.5,0.95")
    return shares


def _default_step_ms(span_ms: int) -> int:
    """About DEFAULT_POINTS points, in whole hours for long windows."""
    wanted_ms = max(span_ms // DEFAULT_POINTS, 1)
    unit_ms = HOUR_MS if wanted_ms > HOUR_MS // 2 else MINUTE_MS
    return -(-wanted_ms // unit_ms) * unit_ms
