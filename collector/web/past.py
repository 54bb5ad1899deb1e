"""What stands out over the fleet: hosts set otherwise than their role, and pools that came close to their end."""

from typing import Any

from aiohttp import web

from collector.api.params import Params
from collector.fleet.drift import drift
from collector.services import SERVICES
from collector.trends import rank
from collector.trends.peaks import Peak
from collector.trends.rank import Named
from collector.web.choice import leaf, page_of
from collector.web.links import host_link, pool_link
from collector.web.rendering import rendered
from collector.web.session import Person

WEEKS = 4
A_WEEK = 10


async def show_drift(request: web.Request, person: Person) -> web.Response:
    """Hosts whose settings differ from those of their role."""
    services = request.app[SERVICES]
    params = Params(request.query.items(), ("page",))
    now_ms = services.clock()
    everyone = await services.looks.muster(services.db, now_ms)
    nothing: dict[str, dict[str, Any]] = {}
    look = await services.looks.other("drift", lambda: drift(services.db, everyone.hosts), nothing, now_ms)
    found = look.pools
    roles = {host.name: host.role for host in everyone.hosts if host.name in found}
    rows = [
        {
            "host": name,
            "link": host_link(name),
            "role": roles.get(name),
            "setting": setting,
            "here": values["here"],
            "usual": values["role"],
        }
        for name in sorted(found)
        for setting, values in found[name].items()
    ]
    return rendered(
        "drift.html",
        person=person,
        here="/drift",
        look=look,
        query={},
        leaf=leaf(rows, page_of(params)),
        hosts=len(everyone.hosts),
        doubts=everyone.doubts,
    )


async def show_near_misses(request: web.Request, person: Person) -> web.Response:
    """By week, the newest first, the pools that came closest to their end."""
    services = request.app[SERVICES]
    Params(request.query.items(), ())
    now_ms = services.clock()
    weeks = await rank.near_misses(services.db, now_ms - WEEKS * rank.WEEK_MS, now_ms + 1, A_WEEK)
    doubts = (await services.looks.muster(services.db, now_ms)).doubts
    shown = [(week_ms, [near_miss(one) for one in found]) for week_ms, found in weeks]
    return rendered("near_misses.html", person=person, here="/near-misses", weeks=shown, doubts=doubts)


def near_miss(one: Named) -> dict[str, object]:
    """A row: the pool, its peak and when; rounded down, so that 100 % means that nothing was left."""
    row: dict[str, object] = {"host": one.host, "host_link": host_link(one.host), "role": one.role}
    row |= {"pool": str(one.pool), "link": pool_link(one.host, one.pool) + "&window=7d"}
    if isinstance(one.found, Peak):
        row |= {"percent": int(one.found.occupancy * 1000) / 10, "hour_ms": one.found.hour_ms}
    return row
