"""What pools will need in the weeks ahead, what doing nothing costs, and what a change would bring."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from collector.api.params import Params
from collector.api.plan import HORIZON_DAYS, MOST_DAYS, plan_of
from collector.capacity.words import cost_words, due_date, needs_words
from collector.services import SERVICES
from collector.web.links import host_link, pool_link
from collector.web.rendering import rendered
from collector.web.session import Person
from shared.addresses import parse_ip
from shared.model import Kind, Pool

PLAN_KEYS = ("horizon", "host", "role", "peer", "limit", "add_backends", "add_addresses", "range")
HORIZONS = (30, 90, 180, 365)
LOOKING = "plan"


async def show_plan(request: web.Request, person: Person) -> web.Response:
    """Capacity, weeks ahead; shared by all who ask the same, for twelve weeks of many pools take a while to read."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), PLAN_KEYS), services.clock()
    query = {name: text for name in PLAN_KEYS if (text := params.text(name))}
    horizon = params.integer("horizon", default=HORIZON_DAYS, low=1, high=MOST_DAYS)
    everyone = await services.looks.muster(services.db, now_ms)
    look = await services.looks.other((LOOKING, *query.items()), lambda: plan_of(services, params), None, now_ms)
    return rendered(
        "plan.html",
        person=person,
        here="/plan",
        query=query,
        look=look,
        roles=everyone.roles,
        doubts=everyone.doubts,
        horizons=sorted({*HORIZONS, horizon}),
        horizon=horizon,
        **(_told(msgspec.to_builtins(look.pools)) if look.pools else {}),
    )


def _told(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plan": plan,
        "rows": [_row(item) for item in plan["items"]],
        "nothing": cost_words("Doing nothing", plan["horizon_days"], plan["cost"]),
        "change": cost_words("With the change", plan["horizon_days"], plan["cost_what_if"])
        if plan["cost_what_if"]
        else "",
    }


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    """A pool: what becomes of it if nothing is done, and what then, where a change was asked about."""
    seen, then = item["outlook"], item["what_if"]
    local, peer = _packed(item["local_ip"]), _packed(item["peer_ip"])
    pool = Pool(item["netns"], Kind(item["kind"]), local, peer, item["peer_port"])
    return {
        "host": item["host"],
        "host_link": host_link(item["host"]),
        "pool": str(pool),
        "link": pool_link(item["host"], pool) + "&window=30d",
        "capacity": item["capacity"],
        "trend": seen["trend"],
        "why": seen["why"],
        "peak": seen["peak"],
        "per_day": item["growth"]["per_day"],
        "page_on": due_date(seen["page"]),
        "full_on": due_date(seen["full"]),
        "projected": seen["projected"],
        "needs": needs_words(seen),
        "sums": seen["sums"],
        "then": then and {"page_on": due_date(then["page"]), "full_on": due_date(then["full"]), "sums": then["sums"]},
    }


def _packed(address: str) -> bytes:
    return parse_ip(address) if address else b""
