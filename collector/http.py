"""The application: routes and middlewares. No loops, no sockets: collector.run and tests serve it as they like."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from collector.access.doorkeeper import Doorkeeper
from collector.api import alerts, enrol, export, fleet, health, hosts, notices, pools, rollouts, silences, top, trend
from collector.ingest.desk import Desk
from collector.ingest.handler import post_snapshot
from collector.problem import explained
from collector.services import SERVICES, Services
from collector.web.routes import add_page
from shared.limits import MAX_BODY_BYTES
from shared.logs import fields

DESK = web.AppKey("desk", Desk)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(services: Services, *, takes_snapshots: bool = True) -> web.Application:
    """Everything the collector answers."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_counted, explained])
    app[SERVICES] = services
    if takes_snapshots:
        app[DESK] = Desk(
            intake=services.intake,
            admission=services.admission,
            doorkeeper=Doorkeeper(services.db),
            metrics=services.metrics,
            clock=services.clock,
            releases=services.releases,
        )
    app.add_routes(
        [
            *([web.post("/v1/snapshots", post_snapshot)] if takes_snapshots else []),
            web.post("/v1/enrol", enrol.post_enrol),
            web.post("/v1/token", enrol.post_token),
            web.get("/v1/config", rollouts.show_config),
            web.get("/v1/lagging", rollouts.list_lagging),
            web.get("/v1/rollouts", rollouts.list_rollouts),
            web.post("/v1/rollouts", rollouts.start_rollout),
            web.post("/v1/rollouts/{id}/{action:pause|resume|abort}", rollouts.turn_rollout),
            web.get("/v1/hosts", hosts.list_hosts),
            web.get("/v1/hosts/{host}", hosts.show_host),
            web.get("/v1/pools", pools.list_pools),
            web.get("/v1/trend", trend.show_trend),
            web.get("/v1/top", top.show_top),
            web.get("/v1/growth", top.show_growth),
            web.get("/v1/peers", top.show_peers),
            web.get("/v1/near-misses", top.show_near_misses),
            web.get("/v1/fleet", fleet.show_fleet),
            web.get("/v1/export", export.send_export),
            web.get("/v1/drift", fleet.show_drift),
            web.get("/v1/storage", fleet.show_storage),
            web.get("/v1/alerts", alerts.list_alerts),
            web.get("/v1/transitions", alerts.list_transitions),
            web.get("/v1/notices", notices.list_notices),
            web.get("/v1/rules", notices.list_rules),
            web.get("/v1/silences", silences.list_silences),
            web.post("/v1/silences", silences.add_silence),
            web.delete("/v1/silences/{id}", silences.expire_silence),
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", health.expose),
        ]
    )
    add_page(app)
    return app


@web.middleware
async def _counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "other"
    request.app[SERVICES].metrics.count_request(route, request.method, response.status)
    return response


class AccessLogger(AbstractAccessLogger):
    """One line a request, without its query string: a login link carries a token there."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Refusals at info, the rest at debug: thousands of hosts report every few seconds."""
        level = logging.INFO if response.status >= 400 else logging.DEBUG  # noqa: PLR2004 - HTTP's class of errors
        facts = fields(
            method=request.method,
            path=request.path,
            status=response.status,
            ms=round(time * 1000, 1),
            remote=request.remote,
        )
        self.logger.log(level, "answered", extra=facts)
