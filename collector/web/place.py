"""One host; and one backend, with the hosts that press on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from collector.api.hosts import known_host
from collector.api.params import InvalidParameter, Params
from collector.fleet.host import PoolNow
from collector.fleet.pools import Wanted
from collector.services import SERVICES
from collector.storage import alerts, hot
from collector.web.choice import LOOKED_AT, leaf, page_of
from collector.web.courses import pool_courses
from collector.web.overview import OPEN, ends_of, pool_rows
from collector.web.rendering import rendered
from collector.web.session import Person
from collector.web.sums import Line, namespace_lines
from collector.web.view import describe_alert, describe_host
from shared import wire
from shared.addresses import format_endpoint, format_ip
from shared.model import Snapshot

TRANSITIONS = 30


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """What a namespace of a host lends, as a sum."""

    name: str
    lines: Sequence[Line]
    settings: Sequence[tuple[str, int]]


async def show_host(request: web.Request, person: Person) -> web.Response:
    """What a host says of itself, its pools, its alerts."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), ("host", "page")), services.clock()
    host = await known_host(services, params.required("host", "lb1"))
    look = await services.looks.hottest(services.db, Wanted(host=host.name, limit=LOOKED_AT), now_ms)
    found = leaf(look.pools, page_of(params))
    async with services.db.reading() as connection:
        due = await alerts.about_host(connection, OPEN, host.name)
        ends = await ends_of(connection, found)
        past = await alerts.history(connection, limit=TRANSITIONS, host_name=host.name)
        logged = (await hot.last_good(connection, [host.id])).get(host.id)
    snapshot = wire.decode(logged.body) if logged else None
    return rendered(
        "host.html",
        person=person,
        here="/hosts",
        query={"host": host.name},
        host=describe_host(host, now_ms),
        facts=host,
        look=look,
        leaf=found,
        pools=pool_rows(found, ends, await pool_courses(services, found.rows, {host.name: host.id}, now_ms)),
        alerts=[describe_alert(case, now_ms) for case in due],
        past=past,
        namespaces=namespaces_of(snapshot),
        unreadable=snapshot.unreadable if snapshot else (),
    )


async def show_backend(request: web.Request, person: Person) -> web.Response:
    """Which hosts press on a backend, the fullest pool first."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), ("peer", "page")), services.clock()
    params.required("peer", "10.0.0.2:8080")
    peer, port = params.endpoint("peer") or (b"", None)
    if not peer:
        raise InvalidParameter("peer", "an address is needed")
    look = await services.looks.hottest(services.db, Wanted(peer=peer, peer_port=port, limit=LOOKED_AT), now_ms)
    everyone, found = await services.looks.muster(services.db, now_ms), leaf(look.pools, page_of(params))
    async with services.db.reading() as connection:
        ends = await ends_of(connection, found)
    return rendered(
        "backend.html",
        person=person,
        here="/",
        query={"peer": params.text("peer") or ""},
        name=format_ip(peer) if port is None else format_endpoint(peer, port),
        look=look,
        leaf=found,
        pools=pool_rows(found, ends, await pool_courses(services, found.rows, everyone.ids, now_ms)),
        pressing=pressing(look.pools),
        doubts=everyone.doubts,
    )


def pressing(found: Sequence[PoolNow]) -> dict[str, int]:
    """How many hosts, and the ports they hold towards it; hosts that are unknown now are counted apart."""
    current = [item for item in found if item.is_current]
    return {
        "hosts": len({item.host for item in current}),
        "held": sum(item.reading.held for item in current),
        "unknown": len({item.host for item in found if not item.is_current}),
    }


def namespaces_of(snapshot: Snapshot | None) -> list[NamespaceView]:
    """Every namespace of the host, with its sum."""
    listed = snapshot.namespaces if snapshot else ()
    return [NamespaceView(one.name, namespace_lines(one), sorted(one.settings.items())) for one in listed]
