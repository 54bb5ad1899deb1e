"""GET /v1/fleet, /v1/drift, /v1/storage: the fleet as a whole, and the room its history takes."""

from typing import Annotated, Any, TypedDict

from aiohttp import web

from collector.api.answer import told
from collector.api.cursor import AfterName, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.params import InvalidParameter, Params
from collector.api.trend import DEFAULT_POINTS
from collector.fleet.document import Count, Share, one_of
from collector.fleet.drift import drift
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE_MS, TIERS
from collector.services import SERVICES
from collector.storage import chunks, room
from collector.trends import rank
from collector.trends.window import InvalidWindow, Window

SHARES = (0.5, 0.95, 0.99, 1.0)
MAX_SHARES = 10
MAX_STEP_S = 31 * 24 * 3600


class LevelShape(TypedDict):
    """One step: `occupancy` has a value for each quantile asked for, null where nothing is known."""

    at_ms: Count
    pool_minutes: Count
    occupancy: list[Share | None]


class FleetShape(TypedDict):
    """Quantiles of the occupancy of all pools over time."""

    from_ms: Count
    to_ms: Count
    step_ms: Count
    quantiles: list[Share]
    points: list[LevelShape]


class DriftShape(TypedDict):
    """A host, and by setting what it has (`here`) and what most of its role have (`role`)."""

    host: str
    settings: dict[str, Any]


class TierShape(TypedDict):
    """How far back one tier of history goes, and how long it is kept; null while it is empty."""

    tier: Annotated[str, one_of(tier.name for tier in TIERS)]
    oldest_ms: Count | None
    newest_ms: Count | None
    keep_ms: Count


class StorageShape(TypedDict):
    """The room that the database takes: `tables` in bytes where it can tell, `free_bytes` to be used again."""

    bytes: Count
    free_bytes: Count
    tables: dict[str, Count]
    chunks_set_aside: Count
    chunks_set_aside_bytes: Count
    tiers: list[TierShape]


async def show_fleet(request: web.Request) -> web.Response:
    """Quantiles of the occupancy of all pools over time; by default the last 24 hours."""
    params, services = params_of(request), request.app[SERVICES]
    window, shares = window_of(params, services.clock()), shares_of(params)
    found = await rank.levels(services.db, window, shares)
    answer: FleetShape = {
        "from_ms": window.from_ms,
        "to_ms": window.to_ms,
        "step_ms": window.step_ms,
        "quantiles": list(shares),
        "points": [
            {"at_ms": one.at_ms, "pool_minutes": one.pool_minutes, "occupancy": list(one.quantiles)} for one in found
        ],
    }
    return told(answer)


async def show_drift(request: web.Request) -> web.Response:
    """Hosts whose settings differ from those of their role, by name."""
    params = params_of(request)
    limit = params.integer("limit", default=MOST_ITEMS, low=1, high=MOST_ITEMS)
    after = cursor_of(params, AfterName)
    found = await drift(request.app[SERVICES].db)
    names = [host for host in sorted(found) if after is None or host > after.name]
    return told(page_of(names, limit, lambda host: DriftShape(host=host, settings=found[host]), AfterName))


async def show_storage(request: web.Request) -> web.Response:
    """How far history goes back, and the bytes it takes."""
    services = request.app[SERVICES]
    async with services.db.reading() as connection:
        extents = [await chunks.extent(connection, tier) for tier in TIERS]
        taken = await room.taken(connection)
        set_aside, set_aside_bytes = await chunks.set_aside_in_all(connection)
    answer: StorageShape = {
        "bytes": taken.total,
        "free_bytes": taken.free,
        "tables": dict(taken.tables),
        "chunks_set_aside": set_aside,
        "chunks_set_aside_bytes": set_aside_bytes,
        "tiers": [
            {
                "tier": one.tier.name,
                "oldest_ms": one.oldest_ms,
                "newest_ms": one.newest_ms,
                "keep_ms": services.keep.of(one.tier),
            }
            for one in extents
        ],
    }
    return told(answer)


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
