"""GET /v1/export: any window as CSV, as it is read."""

from aiohttp import web

from collector.api.hosts import known_host
from collector.api.operation import params_of
from collector.api.params import InvalidParameter
from collector.history.tiers import HOUR_MS, TIERS
from collector.services import SERVICES
from collector.storage import hosts
from collector.trends.export import export


async def send_export(request: web.Request) -> web.StreamResponse:
    """A line a pool and instant, and one for each stretch that is lost; by default the last hour as it was taken."""
    params, services = params_of(request), request.app[SERVICES]
    by_name = {tier.name: tier for tier in TIERS}
    tier = by_name[params.choice("tier", tuple(by_name)) or "raw"]
    to_ms = params.time_ms("to") or services.clock() + 1
    from_ms = params.time_ms("from")
    from_ms = max(0, to_ms - HOUR_MS) if from_ms is None else from_ms
    if to_ms <= from_ms:
        raise InvalidParameter("to", "must be after from")
    reach = services.reach()
    if not reach.holds(tier, from_ms + tier.span_ms):
        days = services.keep.of(tier) / 86_400_000
        raise InvalidParameter("from", f"the tier {tier.name} is kept for {days:g} days; another tier may reach back")
    name = params.text("host")
    if name:
        asked = [await known_host(services, name)]
    else:
        async with services.db.reading() as connection:
            asked = await hosts.with_forgotten(connection)
    response = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8"})
    await response.prepare(request)
    async for piece in export(services.db, asked, tier, (from_ms, to_ms), reach):
        await response.write(piece.encode())
    await response.write_eof()
    return response
