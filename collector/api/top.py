"""GET /v1/top, /v1/growth, /v1/peers, /v1/near-misses: which pools came closest to their end, by the hour."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from collector.api.answer import told
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.params import InvalidParameter, Params
from collector.api.shapes import Ranking
from collector.fleet.document import Count, PoolShape, Share, pool_document
from collector.history.tiers import DAY_MS, Reach
from collector.services import SERVICES
from collector.trends import rank
from collector.trends.peaks import Climb, Peak
from collector.trends.rank import Named

WEEKS = 4


class HostPoolShape(PoolShape):
    """A pool, and the host it is on."""

    host: str
    role: str | None


class PeakShape(HostPoolShape):
    """A pool's highest occupancy, and the hour it was reached in."""

    occupancy: Share
    margin: Annotated[Share, Meta(description="1 - occupancy")]
    hour_ms: Count


class NearMissShape(PeakShape):
    """As a peak, of the week that began at `week_ms` (on a Thursday, UTC)."""

    week_ms: Count


class RiseShape(HostPoolShape):
    """A pool's highest occupancy in the earlier and in the later half of the window."""

    before: Share
    after: Share
    rise: Annotated[Share, Meta(description="after - before")]


async def show_top(request: web.Request) -> web.Response:
    """The highest occupancies of a window; by default the last 24 hours."""
    params, services = params_of(request), request.app[SERVICES]
    from_ms, to_ms = hours_of(params, services.reach(), DAY_MS)
    found = await rank.top(services.db, from_ms, to_ms, _limit(params, 50))
    return told(_peaks(from_ms, to_ms, found))


async def show_growth(request: web.Request) -> web.Response:
    """The fastest climbers; by default yesterday against the day before."""
    params, services = params_of(request), request.app[SERVICES]
    from_ms, to_ms = hours_of(params, services.reach(), 2 * DAY_MS)
    found = await rank.growth(services.db, from_ms, to_ms, _limit(params, 50))
    items = [rise_shape(item, item.found) for item in found if isinstance(item.found, Climb)]
    return told(Ranking[RiseShape](from_ms=from_ms, to_ms=to_ms, items=items))


async def show_peers(request: web.Request) -> web.Response:
    """Which hosts press on this backend."""
    params, services = params_of(request), request.app[SERVICES]
    params.required("peer", "10.0.0.2:8080")
    peer, peer_port = params.endpoint("peer") or (b"", None)
    from_ms, to_ms = hours_of(params, services.reach(), DAY_MS)
    found = await rank.peers(services.db, peer, peer_port, (from_ms, to_ms), _limit(params, 100))
    return told(_peaks(from_ms, to_ms, found))


async def show_near_misses(request: web.Request) -> web.Response:
    """By week, newest first, the pools that came closest to their end."""
    params, services = params_of(request), request.app[SERVICES]
    from_ms, to_ms = hours_of(params, services.reach(), WEEKS * rank.WEEK_MS)
    weeks = await rank.near_misses(services.db, from_ms, to_ms, _limit(params, 10))
    items: list[NearMissShape] = [
        {"week_ms": week_ms, **peak_shape(item, item.found)}
        for week_ms, found in weeks
        for item in found
        if isinstance(item.found, Peak)
    ]
    return told(Ranking[NearMissShape](from_ms=from_ms, to_ms=to_ms, items=items))


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


def peak_shape(item: Named, peak: Peak) -> PeakShape:
    """A pool with its peak."""
    return {
        **_named(item),
        "occupancy": peak.occupancy,
        "margin": round(1 - peak.occupancy, 6),
        "hour_ms": peak.hour_ms,
    }


def rise_shape(item: Named, climb: Climb) -> RiseShape:
    """A pool with how it rose."""
    rise = round(climb.after - climb.before, 6)
    return {**_named(item), "before": climb.before, "after": climb.after, "rise": rise}


def _named(item: Named) -> HostPoolShape:
    return {"host": item.host, "role": item.role, **pool_document(item.pool)}


def _limit(params: Params, default: int) -> int:
    return params.integer("limit", default=default, low=1, high=MOST_ITEMS)


def _peaks(from_ms: int, to_ms: int, found: list[Named]) -> Ranking[PeakShape]:
    items = [peak_shape(item, item.found) for item in found if isinstance(item.found, Peak)]
    return {"from_ms": from_ms, "to_ms": to_ms, "items": items}
