"""What the API answers, as values: an operation says all that its handler asks, takes and gives.

`serve` holds a handler to it: the token's scope is checked and the query read by what is declared, so that the document
(collector.api.openapi) cannot say another thing than the code does. Declared in collector.api.routes, a line each.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from collector.access.bearer import require_admin, require_read
from collector.access.token import Scope
from collector.api.params import InvalidParameter, Params

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PARAMS = web.RequestKey("params", Params)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a query or a path: `schema` is JSON Schema of its text."""

    name: str
    about: str
    schema: Mapping[str, Any]
    is_required: bool = False
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes: a type that is written as JSON, or None for bytes of that media type."""

    kind: Any
    media_type: str = "application/json"
    example: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path. `scope` None: no token is asked for. `answer`: a type, told as JSON."""

    method: str
    path: str
    handler: Handler
    answer: Any = None
    media_type: str = "application/json"
    status: int = 200
    scope: Scope | None = Scope.READ
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    faults: tuple[int, ...] = ()
    """Statuses of problems besides those that follow from the rest: 400, 401, 403, 413, 500, 503."""
    is_conditional: bool = False
    """Whether it answers with an ETag, and heeds If-None-Match."""

    @property
    def key(self) -> tuple[str, str]:
        """(method, path)."""
        return (self.method, self.path)


def serve(operation: Operation) -> web.RouteDef:
    """The operation as a route. What comes with a push or a join token is judged by its handler."""
    require = {Scope.READ: require_read, Scope.ADMIN: require_admin}.get(operation.scope) if operation.scope else None
    if require is None and not operation.query:
        return web.route(operation.method, operation.path, operation.handler)
    names = tuple(one.name for one in operation.query)

    async def answer(request: web.Request) -> web.StreamResponse:
        if require:
            await require(request)
        for name, value in request.query.items():
            if not value:
                raise InvalidParameter(name[:64], "is empty; leave it out, or say what is meant")
        request[_PARAMS] = Params(request.query.items(), names)
        return await operation.handler(request)

    return web.route(operation.method, operation.path, answer)


def params_of(request: web.Request) -> Params:
    """The request's query, of which only declared parameters got this far."""
    return request[_PARAMS]
