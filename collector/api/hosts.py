"""GET /v1/hosts, GET /v1/hosts/{host}."""

from aiohttp import web

from collector.access.bearer import require_read
from collector.api.params import Params
from collector.api.shapes import UnknownHost, host_shape
from collector.fleet.host import Host
from collector.services import SERVICES, Services
from collector.storage import hosts


async def list_hosts(request: web.Request) -> web.Response:
    """Every host that ever reported, and how it is now."""
    await require_read(request)
    Params(request.query.items(), ())
    services = request.app[SERVICES]
    async with services.db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
    now_ms = services.clock()
    return web.json_response({"items": [host_shape(host, now_ms) for host in everyone]})


async def show_host(request: web.Request) -> web.Response:
    """One host."""
    await require_read(request)
    Params(request.query.items(), ())
    services = request.app[SERVICES]
    host = await known_host(services, request.match_info["host"])
    return web.json_response(host_shape(host, services.clock()))


async def known_host(services: Services, name: str) -> Host:
    """The host of that name. Raises UnknownHost."""
    async with services.db.reading() as connection:
        host = await hosts.by_name(connection, name)
    if host is None:
        raise UnknownHost(name)
    return host
