"""Alerts with their history; and silences made on the page: what, until when, who and why."""

from aiohttp import web

from collector.access.token import Forbidden
from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.api.params import InvalidParameter, Params
from collector.api.shapes import notice_shape
from collector.services import SERVICES
from collector.storage import alerts, outbox, silences
from collector.web.choice import leaf, page_of
from collector.web.overview import OPEN, open_by_state
from collector.web.rendering import HEADERS, rendered
from collector.web.session import Person
from collector.web.view import describe_alert, subject_link
from shared.addresses import format_endpoint
from shared.model import Kind
from shared.settings import InvalidValue

TRANSITIONS = 200
NOTICES = 30
HOUR_MS = 3_600_000
HOURS = (1, 4, 12, 24, 72)


async def show_alerts(request: web.Request, person: Person) -> web.Response:
    """What fires, what is silenced, and how it came there."""
    services = request.app[SERVICES]
    params, now_ms = Params(request.query.items(), ("open", "page")), services.clock()
    async with services.db.reading() as connection:
        count = open_by_state(await alerts.count_by_state(connection)).total()
        shown = leaf(range(count), page_of(params, "open"))
        due = await alerts.urgent(connection, OPEN, len(shown.rows), shown.rows[0] if count else 0)
        quiet = await silences.current(connection, now_ms)
        past = await alerts.history(connection, limit=TRANSITIONS)
        told = await outbox.listing(connection, limit=NOTICES)
    return rendered(
        "alerts.html",
        person=person,
        here="/alerts",
        query={key: text for key in ("open", "page") if (text := params.text(key))},
        shown=shown,
        alerts=[describe_alert(case, now_ms) for case in due],
        silences=quiet,
        now_ms=now_ms,
        leaf=leaf(past, page_of(params)),
        link=subject_link,
        told=[notice_shape(one) for one in told],
        hours=HOURS,
    )


async def silence_alert(request: web.Request, person: Person) -> web.Response:
    """Make a silence for what one alert is about; 303 back to the alerts."""
    _require_change(person)
    services, given = request.app[SERVICES], await request.post()
    fields = {name: text for name, text in given.items() if isinstance(text, str)}
    key, hours = fields.get("alert", ""), fields.get("hours", "")
    async with services.db.reading() as connection:
        case = await alerts.by_key(connection, OPEN, key)
    if case is None:
        raise InvalidParameter("alert", "it is not open any more; nothing was silenced")
    if hours not in {str(one) for one in HOURS}:
        raise InvalidParameter("hours", f"one of {', '.join(map(str, HOURS))} is needed")
    made = silence_for(case, fields.get("author", ""), fields.get("reason", ""), services.clock(), int(hours))
    async with services.db.writing() as connection:
        await silences.add(connection, made)
    return _back()


async def end_silence(request: web.Request, person: Person) -> web.Response:
    """End one now; 303 back to the alerts."""
    _require_change(person)
    given = (await request.post()).get("id")
    if not (isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 16):  # noqa: PLR2004 - an id
        raise InvalidParameter("id", "the number of a silence is needed")
    services = request.app[SERVICES]
    async with services.db.writing() as connection:
        await silences.expire(connection, int(given), services.clock())
    return _back()


def silence_for(case: Case, author: str, reason: str, now_ms: int, hours: int) -> Silence:
    """Nothing but this alert: its rule on its subject. Raises InvalidParameter."""
    try:
        return Silence(
            author=author.strip(),
            reason=reason.strip(),
            starts_ms=now_ms,
            created_ms=now_ms,
            ends_ms=now_ms + hours * HOUR_MS,
            where=_where(case),
            rule=(case.rule,),
        )
    except InvalidValue as error:
        raise InvalidParameter(error.key, str(error)) from None


def _where(case: Case) -> Where:
    pool, name = case.subject.pool, case.subject.name
    if pool is not None:
        peer = (format_endpoint(pool.peer, pool.peer_port),) if pool.kind is Kind.CONNECT else ()
        return Where(host=(_exactly(name),), netns=(_exactly(pool.netns),), kind=(pool.kind.value,), peer=peer)
    match case.subject.scope:
        case Scope.HOST:
            return Where(host=(_exactly(name),))
        case Scope.ROLE:
            return Where(role=(_exactly(name),))
        case Scope.PEER:
            return Where(peer=(name,))
    return Where()


def _exactly(name: str) -> str:
    """The name as a shell pattern that matches nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _require_change(person: Person) -> None:
    if not person.may_change:
        raise Forbidden("this session may read only; log in with an admin token to silence")


def _back() -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": "/alerts"})
