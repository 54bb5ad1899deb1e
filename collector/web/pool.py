"""One pool: its chart, its sums, what happened to it, what fails, what to do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from collector.alerts.observe import observe
from collector.alerts.step import AlertState
from collector.alerts.trail import Seen, changes, fixes, follow, rate_per_s
from collector.api.hosts import known_host
from collector.api.params import InvalidParameter, Params
from collector.fleet.host import Host, PoolNow, Presence
from collector.forecast.judge import Forecast, Unforeseen
from collector.services import SERVICES, Services
from collector.storage import alerts, hot
from collector.storage.alerts import PastTransition
from collector.trends.query import AmbiguousNamespace, detailed_trend, in_its_namespace, maxima
from collector.web.chart import SIZES, THEMES, Drawing, Mark, Outlook, draw, ends_ms
from collector.web.links import POOL_KEYS, pool_of, pool_query
from collector.web.outlook import foretold, outlook_words
from collector.web.overview import OPEN
from collector.web.period import PERIOD_KEYS, SPANS_MS, ZONE_COOKIE, neighbours, period, zone_of
from collector.web.rendering import HEADERS, rendered
from collector.web.session import Person
from collector.web.sums import explain_command, pool_lines
from collector.web.view import describe_alert, describe_host, describe_pool
from shared import wire
from shared.model import Pool, Reading, Snapshot

TRAIL_MS = 10 * 60_000
TRAIL_SNAPSHOTS = 120
MOST_TRANSITIONS = 1_000
MARKS = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """A pool of a host as the database knows both; `reading` is None where nobody reported it."""

    host: Host
    pool: Pool
    trail: Sequence[Seen]
    latest: Snapshot | None
    taken_ms: int
    reading: Reading | None


async def show_pool(request: web.Request, person: Person) -> web.Response:
    """All that is known of one pool."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), (*POOL_KEYS, *PERIOD_KEYS)), services.clock()
    one = await _subject(services, params, now_ms)
    name, window = period(params, now_ms, one.host.interval_ms)
    async with services.db.reading() as connection:
        due = await alerts.about_host(connection, OPEN, one.host.name)
    about = [case for case in due if case.subject.pool == one.pool]
    found = await _foretold(services, one)
    is_current = one.host.presence(now_ms) is Presence.REPORTING
    now = PoolNow(one.host.name, one.host.role, one.reading, one.taken_ms, is_current) if one.reading else None
    spent_in_s = found.s if isinstance(found, Forecast) else None
    namespaces = one.latest.namespaces if one.latest else ()
    namespace = next((space for space in namespaces if space.name == one.pool.netns), None)
    query = pool_query(one.host.name, one.pool)
    return rendered(
        "pool.html",
        person=person,
        here="/",
        host=describe_host(one.host, now_ms),
        pool=one.pool,
        row=describe_pool(now, spent_in_s) if now else None,
        lines=pool_lines(namespace, one.reading) if one.reading else (),
        command=explain_command(one.pool),
        outlook=outlook_words(found) if is_current else "unknown: its host does not report",
        rate=rate_per_s(one.trail) if is_current else None,
        changed=changes(one.trail),
        fixes=fixes(one.trail),
        evidence=[said for seen in one.trail for said in seen.snapshot.evidence if said.pool == one.pool],
        alerts=[describe_alert(case, now_ms) for case in about],
        past=(await _past(services, one))[:MARKS],
        query=query,
        chart_query=query | {key: text for key in PERIOD_KEYS if (text := params.text(key))},
        windows=SPANS_MS,
        window=name,
        shown=window,
        until_ms=ends_ms(window.from_ms, window.to_ms, _outlook(one, found) if window.to_ms > now_ms else None),
        neighbours=neighbours(window, now_ms),
        sizes=SIZES,
        beat=now_ms // max(10_000, one.host.interval_ms),
    )


async def show_chart(request: web.Request, _person: Person) -> web.Response:
    """The chart of that view, as SVG."""
    services = request.app[SERVICES]
    params, now_ms = (
        Params(request.query.items(), (*POOL_KEYS, *PERIOD_KEYS, "theme", "size", "beat")),
        services.clock(),
    )
    one = await _subject(services, params, now_ms)
    _, window = period(params, now_ms, one.host.interval_ms)
    made = await detailed_trend(services.db, one.host, one.pool, window, services.reach())
    marks = [_mark(item) for item in await _past(services, one) if window.from_ms <= item.at_ms < window.to_ms]
    marks += [Mark(change.at_ms, str(change), is_bad=False) for change in made.detail.changes()] if made.detail else []
    states = made.detail.states() if made.detail else ()
    outlook = _outlook(one, await _foretold(services, one)) if window.to_ms > now_ms else None
    drawing = Drawing(
        points=made.points, step_ms=made.window.step_ms, states=states, marks=marks[-MARKS:], outlook=outlook
    )
    size = SIZES[params.choice("size", tuple(SIZES)) or "wide"]
    theme = THEMES[params.choice("theme", tuple(THEMES)) or "light"]
    zone = zone_of(request.cookies.get(ZONE_COOKIE, ""))
    svg = await asyncio.to_thread(draw, drawing, theme, zone, size)
    return web.Response(body=svg, content_type="image/svg+xml", headers=HEADERS)


async def _subject(services: Services, params: Params, now_ms: int) -> Subject:
    name, pool = pool_of(params)
    host = await known_host(services, name)
    try:
        pool = await in_its_namespace(services.db, host, pool)
    except AmbiguousNamespace as error:
        raise InvalidParameter("netns", str(error)) from None
    async with services.db.reading() as connection:
        recent = await hot.latest(connection, host.id, since_ms=now_ms - TRAIL_MS, limit=TRAIL_SNAPSHOTS)
        last = (await hot.last_good(connection, [host.id])).get(host.id)
    trail = await asyncio.to_thread(lambda: follow([(one.taken_ms, wire.decode(one.body)) for one in recent], pool))
    latest = wire.decode(last.body) if last else None
    seen = observe(latest, pool) if latest else None
    reading = seen.reading if seen and not seen.is_bound else None
    return Subject(host, pool, trail, latest, last.taken_ms if last else 0, reading)


async def _foretold(services: Services, one: Subject) -> Forecast | Unforeseen:
    reach = services.reach()
    minutes = await maxima(services.db, one.host, one.pool, reach.now_ms, reach)
    return foretold(minutes, [(seen.at_ms, seen.reading) for seen in one.trail], one.reading)


async def _past(services: Services, one: Subject) -> list[PastTransition]:
    async with services.db.reading() as connection:
        past = await alerts.history(connection, limit=MOST_TRANSITIONS, host_name=one.host.name)
    return [item for item in past if item.subject.pool == one.pool]


def _mark(item: PastTransition) -> Mark:
    return Mark(item.at_ms, f"{item.rule}: {item.after.value}", is_bad=item.after is AlertState.FIRING)


def _outlook(one: Subject, found: Forecast | Unforeseen) -> Outlook | None:
    if one.reading is None or not isinstance(found, Forecast) or found.s <= 0:
        return None
    return Outlook(one.taken_ms, one.reading.held, found.earliest_s, found.s, found.latest_s)
