"""The application: routes and middlewares. No loops, no sockets: collector.run and tests serve it as they like."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from collector.access.doorkeeper import Doorkeeper
from collector.api.routes import add_api
from collector.ingest.desk import Desk
from collector.problem import Problem, explained
from collector.services import SERVICES, Services
from collector.web.routes import add_page
from shared.limits import MAX_BODY_BYTES
from shared.logs import fields

log = logging.getLogger(__name__)
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
    add_api(app, takes_snapshots=takes_snapshots)
    add_page(app)
    app.on_cleanup.append(_end_looks)
    return app


async def _end_looks(app: web.Application) -> None:
    await app[SERVICES].looks.close()


@web.middleware
async def _counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "other"
    request.app[SERVICES].metrics.count_request(route, request.method, response.status)
    return response


class Explaining(web.RequestHandler):
    """aiohttp's handler of a connection; what it cannot read is told as a problem document too, and as one line."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no request, or one with a head too long: its status, and the connection's end."""
        if status >= 500 or request.writer.output_size > 0:  # noqa: PLR2004 - HTTP's class of our own faults
            return super().handle_error(request, status, exc, message)
        # After the colon stands what was sent, which may be a token.
        what = (message or "").strip().partition(":")[0][:200]
        log.info("not readable as HTTP", extra=fields(status=status, why=what, remote=request.remote))
        response = Problem(status, "unreadable-request", f"this cannot be read as a request: {what}").response()
        response.force_close()
        return response


def explaining(server: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
    """Handlers as aiohttp's server makes them, with the complaints of Explaining: there is no other way to choose."""

    def made() -> asyncio.Protocol:
        handler = server()
        handler.__class__ = Explaining
        return handler

    return made


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
