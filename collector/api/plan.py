"""GET /v1/plan: which pools will need what by when, what doing nothing costs, and what a change would bring."""

from typing import Annotated, TypedDict

from aiohttp import web
from msgspec import Meta

from collector.alerts.where import Where
from collector.api.answer import told
from collector.api.operation import Parameter, params_of
from collector.api.parameters import HOST, limit, text
from collector.api.params import InvalidParameter, Params
from collector.api.top import HostPoolShape
from collector.capacity.cost import Cost, cost
from collector.capacity.growth import Growth
from collector.capacity.look import look
from collector.capacity.needs import Outlook, Standing, outlook
from collector.capacity.whatif import Change, changed
from collector.capacity.widen import Verdict, Widening, widenings
from collector.fleet.document import Count, Share, pool_document
from collector.services import SERVICES, Services
from shared.ports import InvalidPorts, PortRange, parse_port_range
from shared.settings import InvalidValue

HORIZON_DAYS, MOST_DAYS = 90, 730
MOST_POOLS, DEFAULT_POOLS = 100, 20
MOST_ADDED = 1_000
LOOKED_AT = 50
"""So many of the fullest pools and of the fastest climbers are looked at, or as many as are to be shown, if more.

Twelve weeks of a pool take some 15 ms of CPU.
"""


def _whole(name: str, about: str, low: int, high: int) -> Parameter:
    return Parameter(name, about, {"type": "integer", "minimum": low, "maximum": high})


PARAMETERS = (
    _whole("horizon", f"days ahead (default: {HORIZON_DAYS})", 1, MOST_DAYS),
    HOST,
    text("role", "hosts of this role only", "edge"),
    text("peer", "pools towards this backend only: IP, IP:PORT, NETWORK/BITS or :PORT", "10.0.9.21:8080"),
    limit(DEFAULT_POOLS, MOST_POOLS),
    _whole("add_backends", "what if so many more backends of the same port took their share", 0, MOST_ADDED),
    _whole("add_addresses", "what if every host had so many more source addresses", 0, MOST_ADDED),
    text("range", "what if ip_local_port_range were this on every host: LOW-HIGH", "1024-65535"),
)


class PlannedShape(HostPoolShape):
    """A pool, its growth, and what becomes of it: if nothing is done, and with the change that was asked about."""

    capacity: Count
    page_share: Annotated[Share | None, Meta(description="the occupancy from which on somebody is paged; null: never")]
    backends: Annotated[Count, Meta(description="backends of the same port for the same source, this one among them")]
    sources: Annotated[Count, Meta(description="source addresses of the host towards the same backend")]
    hosts: Annotated[Count, Meta(description="hosts of the role towards the same backend")]
    growth: Growth
    outlook: Outlook
    what_if: Outlook | None


class CapacityPlanShape(TypedDict):
    """Pools, the soonest to be spent first. `cost` is that of doing nothing, `cost_what_if` that after the change.

    Both are of all pools that were looked at, shown or not.
    """

    last_day_ms: Annotated[Count, Meta(description="when the last whole day that counts began (UTC)")]
    horizon_days: Count
    items: list[PlannedShape]
    looked_at: Annotated[Count, Meta(description="pools: the fullest of the last week, the fastest climbers of four")]
    passed_over: Annotated[Count, Meta(description="other pools seen in the last week, of which nothing is said here")]
    cost: Cost
    cost_what_if: Cost | None
    widening: Annotated[list[Widening] | None, Meta(description="what the range asked about means for each role")]
    left_out: Annotated[list[str], Meta(description="hosts that never gave a snapshot that can be read")]


async def show_plan(request: web.Request) -> web.Response:
    """Which pools will need what by when at the current growth."""
    return told(await plan_of(request.app[SERVICES], params_of(request)))


async def plan_of(services: Services, params: Params) -> CapacityPlanShape:
    """The plan that a query asks for. Raises InvalidParameter."""
    days = params.integer("horizon", default=HORIZON_DAYS, low=1, high=MOST_DAYS)
    where, most = _where(params), params.integer("limit", default=DEFAULT_POOLS, low=1, high=MOST_POOLS)
    change, wanted = _change(params), _range(params)
    found = await look(services.db, where, services.rules, services.reach(), max(LOOKED_AT, most))
    roles = widenings(found.grounds, wanted) if wanted else None
    planned = [_planned(one, (days, found.last_day_ms), change, roles) for one in found.standings]
    planned.sort(key=_soonest)
    answer: CapacityPlanShape = {
        "last_day_ms": found.last_day_ms,
        "horizon_days": days,
        "items": planned[:most],
        "looked_at": len(planned),
        "passed_over": found.passed_over,
        "cost": cost([one["outlook"] for one in planned], found.last_day_ms, days),
        "cost_what_if": None,
        "widening": roles,
        "left_out": sorted(found.left_out),
    }
    after = [one["what_if"] for one in planned if one["what_if"]]
    if after:
        answer["cost_what_if"] = cost(after, found.last_day_ms, days)
    return answer


def _planned(standing: Standing, ahead: tuple[int, int], change: Change, roles: list[Widening] | None) -> PlannedShape:
    days, last_day_ms = ahead
    what_if = None
    if roles is not None or not change.is_nothing:
        what_if = outlook(changed(standing, change, _capacity_of(standing, roles)), days, last_day_ms)
    return {
        "host": standing.host,
        "role": standing.role,
        **pool_document(standing.pool),
        "capacity": standing.capacity,
        "page_share": standing.page_share,
        "backends": standing.backends,
        "sources": standing.sources,
        "hosts": standing.hosts,
        "growth": standing.growth,
        "outlook": outlook(standing, days, last_day_ms),
        "what_if": what_if,
    }


def _capacity_of(standing: Standing, roles: list[Widening] | None) -> int | None:
    """What the pool would lend with the range asked about; None where that leaves it as it is."""
    for one in roles or ():
        if one.role == standing.role and one.verdict is not Verdict.REFUSED:
            return one.capacity_after
    return None


def _soonest(item: PlannedShape) -> tuple[float, float, float]:
    """What is spent first comes first, then what pages first, then what is fullest."""
    seen = item["outlook"]
    full, page = (due.at_ms if due else float("inf") for due in (seen.full, seen.page))
    return (full, page, -seen.peak / max(1, item["capacity"]))


def _where(params: Params) -> Where:
    host, role, peer = ((value,) if (value := params.text(name)) else () for name in ("host", "role", "peer"))
    try:
        return Where(host=host, role=role, peer=peer)
    except InvalidValue as error:
        raise InvalidParameter("peer", str(error)) from None


def _change(params: Params) -> Change:
    backends, addresses = (
        params.integer(name, default=0, low=0, high=MOST_ADDED) for name in ("add_backends", "add_addresses")
    )
    return Change(backends=backends, sources=addresses)


def _range(params: Params) -> PortRange | None:
    asked = params.text("range")
    if asked and len(asked) > len("65535 - 65535"):
        raise InvalidParameter("range", "two port numbers are needed, like 1024-65535")
    try:
        return None if asked is None else parse_port_range(asked)
    except InvalidPorts as error:
        raise InvalidParameter("range", f"{error}, like 1024-65535") from None
