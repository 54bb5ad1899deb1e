"""The page at `/`: hosts, the hottest pools, what fires. Rendered here, whole, without a script."""

from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from collector.access.doorkeeper import proved
from collector.alerts.step import AlertState
from collector.fleet.pools import Wanted, hottest
from collector.services import SERVICES, Services
from collector.storage import alerts, hosts, tokens
from collector.web.view import describe_alert, describe_host, describe_pool

COOKIE = "portgauge_session"
POOLS_SHOWN = 50
_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = (_HERE / "static" / "style.css").read_text(encoding="utf-8")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def routes() -> list[web.RouteDef]:
    """What the page is made of."""
    return [web.get("/", show), web.post("/login", log_in), web.get("/style.css", style)]


async def show(request: web.Request) -> web.Response:
    """The page; or, with `?login=TOKEN`, a session and a way back here; or else the form that asks for a token."""
    services = request.app[SERVICES]
    if "login" in request.query:
        return await _open_session(request, request.query["login"])
    if not await _is_logged_in(request):
        return _rendered("login.html", 401, message="")
    return await _overview(services)


async def log_in(request: web.Request) -> web.Response:
    """Take the token from the form."""
    form = await request.post()
    token = form.get("token")
    return await _open_session(request, token if isinstance(token, str) else "")


async def style(_request: web.Request) -> web.Response:
    """The stylesheet, a file of its own because the policy forbids any other."""
    headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=_STYLE, content_type="text/css", headers=headers)


async def _open_session(request: web.Request, token: str) -> web.Response:
    services = request.app[SERVICES]
    grant = await proved(services.db, token.strip())
    if grant is None or not grant.may_read():
        return _rendered("login.html", 401, message="That token is not known here, or may not read.")
    cookie = services.sessions.open(grant.id, services.clock())
    response = web.Response(status=303, headers={**_HEADERS, "Location": "/"})
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", path="/", secure=request.secure)
    return response


async def _is_logged_in(request: web.Request) -> bool:
    services = request.app[SERVICES]
    token_id = services.sessions.token_id(request.cookies.get(COOKIE, ""), services.clock())
    if token_id is None:
        return False
    # Asked anew each time: a revoked token closes its sessions at once.
    async with services.db.reading() as connection:
        grant = await tokens.find(connection, token_id)
    return grant is not None and grant.revoked_ms is None and grant.may_read()


async def _overview(services: Services) -> web.Response:
    now_ms = services.clock()
    async with services.db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
        due = await alerts.current(connection, (AlertState.FIRING, AlertState.PENDING, AlertState.UNKNOWN))
    pools = await hottest(services.db, Wanted(limit=POOLS_SHOWN), now_ms)
    return _rendered(
        "overview.html",
        200,
        hosts=[describe_host(host, now_ms) for host in everyone],
        alerts=[describe_alert(item, now_ms) for item in due],
        pools=[describe_pool(item) for item in pools],
    )


def _rendered(template: str, status: int, **values: object) -> web.Response:
    text = _TEMPLATES.get_template(template).render(**values)
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)
