"""What is rolled out: settings by revision, how far each came, and the hosts that lag or differ."""

from collections import Counter

from aiohttp import web

from collector.api.params import Params
from collector.api.rollouts import standing
from collector.fleet.lag import lagging
from collector.services import SERVICES
from collector.storage import rollouts
from collector.web.choice import leaf, page_of
from collector.web.links import host_link
from collector.web.rendering import rendered
from collector.web.session import Person

MOST_SHOWN = 20


async def show_rollout(request: web.Request, person: Person) -> web.Response:
    """Versions and revisions of the fleet."""
    services, params = request.app[SERVICES], Params(request.query.items(), ("page",))
    everyone = await services.looks.muster(services.db, services.clock())
    async with services.db.reading() as connection:
        under_way = await standing(connection, services.clock())
        found = lagging(everyone.hosts, await rollouts.newest(connection))
    rows = [
        {"host": host.name, "link": host_link(host.name), "role": host.role or "–", "why": "; ".join(why)}
        for host, why in found
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
        leaf=leaf(rows, page_of(params)),
        rollouts=[one | {"words": _words(one["settings"])} for one in under_way[:MOST_SHOWN]],
        versions=sorted(Counter(what for _, what in told).items(), key=str),
        mute=Counter(what for name, what in told if name in everyone.doubts),
        doubts=everyone.doubts,
    )


def _words(settings: dict[str, object]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in settings.items())
