"""The fleet over time: how full its pools were, and a map of hosts by the hour."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from collector.api.params import Params
from collector.fleet.pools import Wanted
from collector.history.tiers import HOUR_MS
from collector.services import SERVICES
from collector.trends.rank import levels
from collector.trends.window import Window
from collector.web.chart import SIZES, THEMES
from collector.web.choice import LOOKED_AT, leaf, page_of
from collector.web.courses import host_courses, hours_until
from collector.web.heat import Cell, cells
from collector.web.levels import SHARES, draw_levels
from collector.web.links import host_link
from collector.web.period import PERIOD_KEYS, SPANS_MS, ZONE_COOKIE, period, zone_of
from collector.web.rendering import HEADERS, rendered
from collector.web.session import Person

A_PAGE = 40
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class MapRow:
    """A host, and how full its fullest pool was in each hour."""

    host: str
    link: str
    cells: Sequence[Cell]


async def show_history(request: web.Request, person: Person) -> web.Response:
    """Quantiles of the fleet, and the hosts whose pools are fullest now, by the hour."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), ("role", "page", *PERIOD_KEYS)), services.clock()
    name, _ = period(params, now_ms, MINUTE_MS)
    everyone = await services.looks.muster(services.db, now_ms)
    look = await services.looks.hottest(services.db, Wanted(role=params.text("role"), limit=LOOKED_AT), now_ms)
    found = leaf(list(dict.fromkeys(item.host for item in look.pools)), page_of(params), A_PAGE)
    ids = everyone.ids
    hours = hours_until(now_ms)
    by_name = await host_courses(services, {name: ids[name] for name in found.rows if name in ids}, hours)
    query = {key: text for key in ("role", *PERIOD_KEYS) if (text := params.text(key))}
    return rendered(
        "history.html",
        person=person,
        here="/history",
        query=query,
        look=look,
        leaf=found,
        hours=hours,
        rows=[MapRow(host, host_link(host), cells(course)) for host, course in by_name.items()],
        roles=everyone.roles,
        doubts=everyone.doubts,
        windows=SPANS_MS,
        window=name,
        chart_query={key: text for key, text in query.items() if key in PERIOD_KEYS},
        beat=now_ms // MINUTE_MS,
    )


async def show_levels(request: web.Request, _person: Person) -> web.Response:
    """The quantiles as SVG."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), (*PERIOD_KEYS, "theme", "size", "beat")), services.clock()
    _, window = period(params, now_ms, MINUTE_MS)
    unit_ms = HOUR_MS if window.step_ms > HOUR_MS else MINUTE_MS
    window = Window(window.from_ms, window.to_ms, -(-window.step_ms // unit_ms) * unit_ms)
    found = await levels(services.db, window, SHARES)
    theme = THEMES[params.choice("theme", tuple(THEMES)) or "light"]
    size = SIZES[params.choice("size", tuple(SIZES)) or "wide"]
    zone = zone_of(request.cookies.get(ZONE_COOKIE, ""))
    svg = await asyncio.to_thread(draw_levels, found, window.step_ms, theme, zone, size)
    return web.Response(body=svg, content_type="image/svg+xml", headers=HEADERS)
