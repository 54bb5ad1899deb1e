"""GET /v1/trend."""

from collections.abc import Sequence
from typing import Annotated, TypedDict

from aiohttp import web

from collector.api.answer import told
from collector.api.hosts import known_host
from collector.api.operation import params_of
from collector.api.params import InvalidParameter, Params
from collector.fleet.document import Count, one_of
from collector.history.tiers import TIERS
from collector.services import SERVICES
from collector.trends.query import AmbiguousNamespace, in_its_namespace, trend
from collector.trends.series import Point
from collector.trends.window import InvalidWindow, Span, Window
from shared.model import Kind, Pool

HOUR_MS = 3_600_000
DEFAULT_POINTS = 120
MAX_STEP_S = 31 * 24 * 3600


class SpanShape(TypedDict):
    """A stretch of time, its end not included."""

    from_ms: Count
    to_ms: Count


class TrendShape(SpanShape):
    """One pool's held ports, a point each `step_ms`.

    `lost`: stretches of which history cannot tell all that it once held; `damaged`: those of them whose chunk still
    stands where it did, to be read by whoever repairs it.
    """

    host: str
    netns: str
    local_ip: str
    peer_ip: str
    peer_port: int
    step_ms: Count
    tier: Annotated[str, one_of(tier.name for tier in TIERS)]
    damaged: list[SpanShape]
    lost: list[SpanShape]
    points: list[Point]


async def show_trend(request: web.Request) -> web.Response:
    """One pool's held ports over time."""
    params, services = params_of(request), request.app[SERVICES]
    name = params.required("host", "lb1")
    asked = _pool(params)
    host = await known_host(services, name)
    window = window_of(params, services.clock(), host.interval_ms)
    try:
        pool = await in_its_namespace(services.db, host, asked)
    except AmbiguousNamespace as error:
        raise InvalidParameter("netns", str(error)) from None
    made = await trend(services.db, host, pool, window, services.reach())
    answer: TrendShape = {
        "host": host.name,
        "netns": pool.netns,
        "local_ip": pool.local_ip,
        "peer_ip": pool.peer_ip,
        "peer_port": pool.peer_port,
        "from_ms": window.from_ms,
        "to_ms": window.to_ms,
        "step_ms": made.window.step_ms,
        "tier": made.tier.name,
        "damaged": _spans(made.damaged),
        "lost": _spans(made.lost),
        "points": list(made.points),
    }
    return told(answer)


def _spans(spans: Sequence[Span]) -> list[SpanShape]:
    return [{"from_ms": from_ms, "to_ms": to_ms} for from_ms, to_ms in spans]


def window_of(params: Params, now_ms: int, interval_ms: int) -> Window:
    """What the query asks for: by default the last hour, in steps no finer than the host reports."""
    to_ms = params.time_ms("to")
    to_ms = now_ms + 1 if to_ms is None else to_ms
    from_ms = params.time_ms("from")
    from_ms = max(0, to_ms - HOUR_MS) if from_ms is None else from_ms
    step_s = params.number("step", low=0.001, high=MAX_STEP_S)
    step_ms = default_step_ms(to_ms - from_ms, interval_ms) if step_s is None else round(step_s * 1000)
    try:
        return Window(from_ms, to_ms, step_ms)
    except InvalidWindow as error:
        raise InvalidParameter(error.parameter, str(error)) from None


def default_step_ms(span_ms: int, interval_ms: int) -> int:
    """A whole number of seconds that gives about DEFAULT_POINTS points, each with a report to show."""
    wanted_ms = max(span_ms / DEFAULT_POINTS, interval_ms, 1)
    return -(-int(wanted_ms) // 1000) * 1000


def _pool(params: Params) -> Pool:
    params.required("local", "10.0.0.1")
    params.required("peer", "10.0.0.2:8080")
    local, endpoint = params.address("local"), params.endpoint("peer")
    peer, peer_port = endpoint or (None, None)
    if local is None or peer is None or peer_port is None:
        raise InvalidParameter("peer", "needs a port, like 10.0.0.2:8080 or [fd00::2]:8080")
    return Pool(params.text("netns") or "", Kind.CONNECT, local, peer, peer_port)
