"""The fleet: who reports, what fires, the hottest pools; and the hosts by themselves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from collector.alerts.step import AlertState
from collector.api.params import Params
from collector.fleet.host import PoolNow, Presence
from collector.fleet.series import Ends
from collector.services import SERVICES
from collector.storage import alerts
from collector.storage.database import AsyncConnection
from collector.trends.course import Course
from collector.web.choice import HOST_KEYS, POOL_KEYS, Leaf, hosts_like, leaf, page_of, pool_choice
from collector.web.courses import pool_courses
from collector.web.heat import spark
from collector.web.rendering import rendered
from collector.web.session import Person
from collector.web.view import PoolRow, describe_alert, describe_host, describe_pool
from shared.model import Pool

MOST_SHOWN = 10
OPEN = (AlertState.FIRING, AlertState.UNKNOWN, AlertState.PENDING)


async def show_fleet(request: web.Request, person: Person) -> web.Response:
    """The page people open first."""
    services = request.app[SERVICES]
    choice, now_ms = pool_choice(Params(request.query.items(), POOL_KEYS)), services.clock()
    everyone = await services.looks.muster(services.db, now_ms)
    look = await services.looks.hottest(services.db, choice.wanted, now_ms)
    found = choice.leaf(look.pools)
    mute = everyone.mute
    async with services.db.reading() as connection:
        states = open_by_state(await alerts.count_by_state(connection))
        due = await alerts.urgent(connection, OPEN, MOST_SHOWN)
        ends = await ends_of(connection, found)
    return rendered(
        "fleet.html",
        person=person,
        here="/",
        now_ms=now_ms,
        look=look,
        query=choice.query,
        sort=choice.sort,
        leaf=found,
        pools=pool_rows(found, ends, await pool_courses(services, found.rows, everyone.ids, now_ms)),
        presences=everyone.presences,
        states=states,
        alerts=[describe_alert(case, now_ms) for case in due],
        more_alerts=states.total() - len(due),
        mute=[describe_host(host, everyone.at_ms) for host in mute[:MOST_SHOWN]],
        more_mute=len(mute) - MOST_SHOWN,
        roles=everyone.roles,
    )


async def show_hosts(request: web.Request, person: Person) -> web.Response:
    """Every host, those that do not report first."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), HOST_KEYS), services.clock()
    state = params.choice("state", tuple(Presence))
    everyone = await services.looks.muster(services.db, now_ms)
    found = leaf(hosts_like(everyone, params.text("role"), state), page_of(params))
    return rendered(
        "hosts.html",
        person=person,
        here="/hosts",
        query={name: text for name in HOST_KEYS if (text := params.text(name))},
        leaf=found,
        hosts=[describe_host(host, everyone.at_ms) for host in found.rows],
        roles=everyone.roles,
        states=[presence.value for presence in Presence if presence is not Presence.FORGOTTEN],
        versions=sorted(Counter((host.agent_version, host.role or "–") for host in everyone.hosts).items()),
    )


def open_by_state(counts: Mapping[tuple[str, str], int]) -> Counter[str]:
    """How many alerts are in each of the states that are not over; `counts` by (severity, state)."""
    found: Counter[str] = Counter()
    for (_severity, state), count in counts.items():
        if state in {one.value for one in OPEN}:
            found[state] += count
    return found


async def ends_of(db: AsyncConnection, found: Leaf[PoolNow]) -> Ends:
    """When the pools of a table will be spent, where an alert that is open foretells it."""
    return await alerts.foretold(db, {item.host for item in found.rows})


def pool_rows(found: Leaf[PoolNow], ends: Ends, past: Mapping[tuple[str, Pool], Course] | None = None) -> list[PoolRow]:
    """The rows of a table of pools; an end that is foretold is told beside, and the last 24 hours."""
    keys = [(item.host, item.reading.pool) for item in found.rows]
    rows = [describe_pool(item, ends.get(key)) for item, key in zip(found.rows, keys, strict=True)]
    return [replace(row, spark=spark(past[key])) for row, key in zip(rows, keys, strict=True)] if past else rows
