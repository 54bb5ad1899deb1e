"""POST /v1/enrol, POST /v1/token: a push token for a join token, and for its predecessor."""

from typing import Annotated, TypedDict

from aiohttp import web

from collector.access.bearer import grant_of, token_in
from collector.access.enrolment import Candidate, NewToken, enrol, renew
from collector.access.token import Grant, Scope
from collector.api.answer import told
from collector.api.body import built, document_in
from collector.fleet.document import Count, one_of
from collector.services import SERVICES

EXAMPLE_TOKEN = {"id": "0123456789ab", "digest": "ab" * 32}
EXAMPLE = {"host": "lb1", "role": "edge", "token": EXAMPLE_TOKEN}


class TokenShape(TypedDict):
    """A token without its secret, as `token list --json` has it."""

    id: str
    scope: Annotated[str, one_of(Scope)]
    host: str | None
    role: str | None
    created_ms: Count
    revoked_ms: Count | None
    expires_ms: Count | None
    renew_ms: Count | None
    uses_left: Count | None


async def post_enrol(request: web.Request) -> web.Response:
    """Let a host in: `host role machine_id token{id digest}` with a join token; 201 with what its token is good for."""
    services = request.app[SERVICES]
    candidate = built(Candidate, document_in(await request.read()))
    made = await enrol(services.db, token_in(request), candidate, services.clock())
    return told(token_shape(made), 201)


async def post_token(request: web.Request) -> web.Response:
    """Exchange the push token of this request for the one of the body, `id digest`; 201."""
    services = request.app[SERVICES]
    grant = await grant_of(request)
    new = built(NewToken, document_in(await request.read()))
    return told(token_shape(await renew(services.db, grant, new, services.clock())), 201)


def token_shape(grant: Grant) -> TokenShape:
    """What is told of a token."""
    return {
        "id": grant.id,
        "scope": grant.scope.value,
        "host": grant.host,
        "role": grant.role,
        "created_ms": grant.created_ms,
        "revoked_ms": grant.revoked_ms,
        "expires_ms": grant.expires_ms,
        "renew_ms": grant.renew_ms,
        "uses_left": grant.uses_left,
    }
