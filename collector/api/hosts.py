"""GET /v1/hosts; GET, DELETE /v1/hosts/{host}."""

from typing import TypedDict

from aiohttp import web

from collector.access.bearer import grant_of
from collector.api.answer import told
from collector.api.cursor import AfterName, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.shapes import host_shape
from collector.fleet import forgetting
from collector.fleet.host import Host, UnknownHost
from collector.services import SERVICES, Services
from collector.storage import hosts


class ForgottenShape(TypedDict):
    """A host that was forgotten, and the ids of its tokens that were revoked with it."""

    host: str
    revoked: list[str]


async def list_hosts(request: web.Request) -> web.Response:
    """Every host that ever reported and is not forgotten, and how it is now, by name."""
    params, services = params_of(request), request.app[SERVICES]
    limit = params.integer("limit", default=MOST_ITEMS, low=1, high=MOST_ITEMS)
    after = cursor_of(params, AfterName)
    async with services.db.reading() as connection:
        found = await hosts.after_name(connection, after.name if after else "", limit + 1)
    now_ms = services.clock()
    return told(page_of(found, limit, lambda host: host_shape(host, now_ms), lambda host: AfterName(host.name)))


async def show_host(request: web.Request) -> web.Response:
    """One host."""
    services = request.app[SERVICES]
    host = await known_host(services, request.match_info["host"])
    return told(host_shape(host, services.clock()))


async def forget_host(request: web.Request) -> web.Response:
    """Forget a host: its tokens are revoked, lists and alerts are done with it, its history goes with retention."""
    services, name = request.app[SERVICES], request.match_info["host"]
    actor = f"token {(await grant_of(request)).id}"
    found = None if "\0" in name else await forgetting.forget(services.db, name, actor, services.clock())
    if found is None:
        raise UnknownHost(name)
    return told(ForgottenShape(host=found.host, revoked=list(found.revoked)))


async def known_host(services: Services, name: str) -> Host:
    """The host of that name. Raises UnknownHost."""
    if "\0" in name:
        raise UnknownHost(name)
    async with services.db.reading() as connection:
        host = await hosts.by_name(connection, name)
    if host is None:
        raise UnknownHost(name)
    return host
