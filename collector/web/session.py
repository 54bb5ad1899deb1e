"""Who looks at the page: logging in with a token, the session's cookie, and forms that only our own pages may send."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from collector.access.doorkeeper import proved
from collector.access.token import Forbidden, Grant, Scope
from collector.problem import problem_of
from collector.services import SERVICES
from collector.storage import tokens
from collector.web.links import safe_path, with_query
from collector.web.rendering import HEADERS, rendered

COOKIE = "portgauge_session"
LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever holds a live session."""

    grant: Grant
    form_token: str
    """What each form of this session carries: another site cannot know it."""

    @property
    def may_change(self) -> bool:
        """Whether silences may be made."""
        return self.grant.scope is Scope.ADMIN


View = Callable[[web.Request, Person], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page(view: View) -> Handler:
    """A view for those who are logged in; the others are asked for a token and come back here. Errors are pages."""

    async def show(request: web.Request) -> web.StreamResponse:
        if LOGIN in request.query and request.method == "GET":
            return await _open_session(request, request.query[LOGIN], _without_login(request))
        person = await person_of(request)
        if person is None:
            return rendered("login.html", 401, message="", next=_asked(request))
        try:
            return await view(request, person)
        except Exception as error:
            problem = problem_of(error)
            if isinstance(error, web.HTTPException) or problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return rendered("error.html", problem.status, person=person, problem=problem)

    return show


def form(view: View) -> Handler:
    """A view that takes a form: of our own origin, with this session's token, from somebody who may change things."""

    async def take(request: web.Request, person: Person) -> web.StreamResponse:
        given = (await request.post()).get("form_token")
        is_ours = isinstance(given, str) and hmac.compare_digest(given.encode(), person.form_token.encode())
        if not (is_ours and is_same_origin(request)):
            raise Forbidden("this form was not sent by this page; reload it, and send it again")
        return await view(request, person)

    return page(take)


async def log_in(request: web.Request) -> web.Response:
    """Take the token from the form."""
    if not is_same_origin(request):
        return rendered("login.html", 403, message="That form came from another site.", next="/")
    given = await request.post()
    token, goal = given.get("token"), given.get("next")
    path = safe_path(goal) if isinstance(goal, str) else "/"
    return await _open_session(request, token if isinstance(token, str) else "", path)


async def log_out(request: web.Request, _person: Person) -> web.Response:
    """End the session, here and in the browser."""
    request.app[SERVICES].sessions.close(request.cookies.get(COOKIE, ""))
    response = web.Response(status=303, headers={**HEADERS, "Location": "/"})
    response.del_cookie(COOKIE, path="/")
    return response


async def person_of(request: web.Request) -> Person | None:
    """Who holds the request's session, if it lives and its token may read."""
    services, cookie = request.app[SERVICES], request.cookies.get(COOKIE, "")
    token_id = services.sessions.token_id(cookie, services.clock())
    if token_id is None:
        return None
    # Asked anew each time: a revoked token closes its sessions at once.
    async with services.db.reading() as connection:
        grant = await tokens.find(connection, token_id)
    if grant is None or not grant.is_alive(services.clock()) or not grant.may_read():
        return None
    return Person(grant, hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest())


def is_same_origin(request: web.Request) -> bool:
    """Whether a form came from our own pages, as far as the browser says (Fetch Metadata, else Origin)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


async def _open_session(request: web.Request, token: str, path: str) -> web.Response:
    services = request.app[SERVICES]
    grant = await proved(services.db, token.strip(), services.clock())
    if grant is None or not grant.may_read():
        return rendered("login.html", 401, message="That token is not known here, or may not read.", next=path)
    cookie = services.sessions.open(grant.id, services.clock())
    response = web.Response(status=303, headers={**HEADERS, "Location": path})
    # Lax, not Strict: a link in a notice must open the page; what changes anything needs a form of ours besides.
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="Lax", path="/", secure=request.secure)
    return response


def _asked(request: web.Request) -> str:
    return safe_path(request.path_qs) if request.method == "GET" else "/"


def _without_login(request: web.Request) -> str:
    return safe_path(with_query(request.path, {name: text for name, text in request.query.items() if name != LOGIN}))
