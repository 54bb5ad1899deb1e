"""What is rolled out: settings by revision, how far each came, and the hosts that lag or differ."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from aiohttp import web

from collector.api.params import Params
from collector.api.rollouts import RolloutShape, standing
from collector.fleet.host import Host
from collector.fleet.lag import lagging
from collector.services import SERVICES, Services
from collector.storage import rollouts
from collector.web.choice import leaf, page_of
from collector.web.links import host_link
from collector.web.rendering import rendered
from collector.web.session import Person

MOST_SHOWN = 20
Found = tuple[Sequence[RolloutShape], Sequence[tuple[Host, Sequence[str]]]]
"""The newest rollouts, and the hosts that lag or differ, each with why."""


async def show_rollout(request: web.Request, person: Person) -> web.Response:
    """Versions and revisions of the fleet."""
    services, params = request.app[SERVICES], Params(request.query.items(), ("page",))
    now_ms = services.clock()
    everyone = await services.looks.muster(services.db, now_ms)
    nothing: Found = ((), ())
    look = await services.looks.other("rollout", lambda: _found(services, everyone.hosts, now_ms), nothing, now_ms)
    under_way, lag = look.pools
    rows = [
        {"host": host.name, "link": host_link(host.name), "role": host.role or "–", "why": "; ".join(why)}
        for host, why in lag
    ]
    told = [
        (host.name, (host.agent_version or "–", host.state["revision"] if host.state else None))
        for host in everyone.hosts
    ]
    return rendered(
        "rollout.html",
        person=person,
        here="/rollout",
        query={},
        look=look,
        leaf=leaf(rows, page_of(params)),
        rollouts=[one | {"words": _words(one["settings"])} for one in under_way],
        versions=sorted(Counter(what for _, what in told).items(), key=str),
        mute=Counter(what for name, what in told if name in everyone.doubts),
        doubts=everyone.doubts,
    )


async def _found(services: Services, fleet: Sequence[Host], now_ms: int) -> Found:
    async with services.db.reading() as connection:
        known = await rollouts.newest(connection)
        under_way = await standing(connection, now_ms, fleet, MOST_SHOWN)
    return under_way, await asyncio.to_thread(lagging, fleet, known)


def _words(settings: dict[str, object]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in settings.items())
