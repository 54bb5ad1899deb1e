"""Tokens in requests: `Authorization: Bearer …`."""

from aiohttp import web

from collector.access.doorkeeper import proved
from collector.access.token import Forbidden, Grant, Scope, Unauthenticated
from collector.services import SERVICES


async def grant_of(request: web.Request) -> Grant:
    """What the request's token grants. Raises Unauthenticated."""
    services = request.app[SERVICES]
    grant = await proved(services.db, token_in(request), services.clock())
    if grant is None:
        raise Unauthenticated
    return grant


def token_in(request: web.Request) -> str:
    """The token it came with, whatever that is worth. Raises Unauthenticated where there is none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("send a token: Authorization: Bearer TOKEN")
    return text.strip()


async def require_read(request: web.Request) -> None:
    """Raise Unauthenticated or Forbidden unless the request's token may read."""
    grant = await grant_of(request)
    if not grant.may_read():
        raise Forbidden(f"{grant.scope.one} cannot read; make one with: token create --scope read")


async def require_admin(request: web.Request) -> None:
    """Raise Unauthenticated or Forbidden unless the request's token may change things."""
    grant = await grant_of(request)
    if grant.scope is not Scope.ADMIN:
        raise Forbidden(f"{grant.scope.one} changes nothing; make one with: token create --scope admin")
