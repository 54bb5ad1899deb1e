"""Tokens in requests: `Authorization: Bearer …`."""

from aiohttp import web

from collector.access import token
from collector.access.token import Grant
from collector.services import SERVICES
from collector.storage import tokens
from collector.storage.database import Database
from shared.errors import PortgaugeError

_NOBODY = Grant("", token.Scope.READ, None, bytes(32), 0)
"""What an unknown id is compared against, so that it takes as long as a known one."""


class Unauthenticated(PortgaugeError):
    """No token, or none that is known."""


class Forbidden(PortgaugeError):
    """A good token, but not for this."""


async def grant_of(request: web.Request) -> Grant:
    """What the request's token grants. Raises Unauthenticated."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("send a token: Authorization: Bearer TOKEN")
    grant = await proved(request.app[SERVICES].db, text.strip())
    if grant is None:
        raise Unauthenticated("the token is not known here, or was revoked; make one with: token create")
    return grant


async def require_read(request: web.Request) -> None:
    """Raise Unauthenticated or Forbidden unless the request's token may read."""
    grant = await grant_of(request)
    if not grant.may_read():
        raise Forbidden(f"a {grant.scope} token cannot read; make one with: token create --scope read")


async def proved(db: Database, text: str) -> Grant | None:
    """What this token grants, if it is one that is known and alive."""
    parsed = token.parse(text)
    if parsed is None:
        return None
    token_id, secret = parsed
    async with db.reading() as connection:
        grant = await tokens.find(connection, token_id)
    return grant if (grant or _NOBODY).is_proved_by(secret) else None
