"""The only place where an error becomes a status. Every error is a problem document (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, NotRequired, TypedDict

from aiohttp import web
from msgspec import Meta

from collector.access.enrolment import HostTaken
from collector.access.token import Forbidden, Unauthenticated
from collector.alerts.ruleset import CannotChange, UnknownRule
from collector.api.params import InvalidParameter
from collector.api.rollouts import CannotTurn, UnknownRollout
from collector.api.shapes import UnknownSilence
from collector.fleet.host import UnknownHost
from collector.ingest.admission import RETRY_AFTER_S, Overloaded
from collector.ingest.body import BrokenBody, UnsupportedMedia
from collector.ingest.record import Conflicting
from collector.storage.errors import StorageError
from shared import wire
from shared.logs import fields

CONTENT_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class ProblemShape(TypedDict):
    """What went wrong (RFC 9457), and facts a program can use; `type` stays, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    parameter: NotRequired[Annotated[str, Meta(description="which parameter, or key of the body, is at fault")]]
    host: NotRequired[str]
    seq: NotRequired[int]
    where: NotRequired[str]
    limit: NotRequired[int]
    found: NotRequired[Any]
    supported: NotRequired[list[int]]
    accepted: NotRequired[list[str]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A status, what went wrong, and facts a program can use."""

    status: int
    slug: str
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As a problem document."""
        return {
            "type": f"urn:portgauge:problem:{self.slug}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.facts,
        }

    def response(self) -> web.Response:
        """The document as a response."""
        return web.json_response(self.document(), status=self.status, headers=self.headers, content_type=CONTENT_TYPE)


@web.middleware
async def explained(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error as a problem document; what nobody foresaw is logged and told as 500, without its text."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return error if error.status < HTTPStatus.BAD_REQUEST else _of_http(error).response()
    except Exception as error:
        problem = problem_of(error)
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.exception("unforeseen", extra=fields(method=request.method, path=request.path))
        return problem.response()


def problem_of(error: Exception) -> Problem:  # noqa: C901, PLR0911, PLR0912 - one line an error
    """What a caller is told of an error; 500 where nobody meant it to be raised."""
    detail = str(error)
    match error:
        case wire.TooLarge():
            return Problem(413, "too-large", detail, {"limit": error.limit})
        case wire.UnknownSchema():
            return Problem(415, "unknown-schema", detail, {"found": error.found, "supported": list(error.supported)})
        case wire.Malformed():
            return Problem(400, "malformed", detail, {"where": error.where})
        case BrokenBody():
            return Problem(400, "malformed", detail)
        case UnsupportedMedia():
            return _unsupported(error)
        case Unauthenticated():
            return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
        case Forbidden():
            return Problem(403, "forbidden", detail)
        case UnknownHost():
            return Problem(404, "unknown-host", detail, {"host": error.host})
        case UnknownSilence():
            return Problem(404, "unknown-silence", detail)
        case UnknownRule():
            return Problem(404, "unknown-rule", detail)
        case CannotChange():
            return Problem(409, "cannot-change", detail)
        case InvalidParameter():
            return Problem(400, "invalid-parameter", detail, {"parameter": error.parameter})
        case Conflicting():
            return Problem(409, "conflict", detail, {"host": error.host, "seq": error.seq})
        case UnknownRollout():
            return Problem(404, "unknown-rollout", detail)
        case CannotTurn():
            return Problem(409, "cannot-turn", detail)
        case HostTaken():
            return Problem(409, "host-taken", detail, {"host": error.host})
        case Overloaded():
            return Problem(503, "overloaded", detail, headers={"Retry-After": str(error.retry_after_s)})
        case StorageError():
            told = "the database cannot be used at the moment"
            return Problem(503, "unavailable", told, headers={"Retry-After": str(RETRY_AFTER_S)})
        case _:
            return Problem(500, "internal", "an unforeseen fault; the collector's log says more")


def _unsupported(error: UnsupportedMedia) -> Problem:
    accept = {"Content-Type": "Accept", "Content-Encoding": "Accept-Encoding"}[error.header]
    # `supported` lists schemas, as for an unknown schema: whoever sends the wrong type learns what to speak.
    facts = {"accepted": list(error.accepted), "supported": sorted(wire.SUPPORTED)}
    return Problem(415, "unsupported-media", str(error), facts, {accept: ", ".join(error.accepted)})


def _of_http(error: web.HTTPException) -> Problem:
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    detail = {
        404: "nothing is here; /openapi.json lists what there is",
        405: f"only {kept.get('Allow', 'another method')} is answered here",
    }.get(error.status, error.reason)
    return Problem(error.status, error.reason.lower().replace(" ", "-"), detail, headers=kept)
