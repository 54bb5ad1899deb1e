"""GET, POST /v1/rules; PUT, DELETE /v1/rules/{name}: what is watched, and rules made here."""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from aiohttp import web

from collector.access.bearer import grant_of
from collector.alerts.rules import Rule
from collector.alerts.ruleset import (
    MOST_MADE,
    CannotChange,
    InForce,
    Origin,
    UnknownRule,
    in_force,
    require_changeable,
    require_known_channels,
)
from collector.alerts.where import Where
from collector.api.answer import told, told_if_changed
from collector.api.body import built, document_in
from collector.api.params import InvalidParameter
from collector.api.shapes import Severity
from collector.fleet.document import Count, one_of
from collector.services import SERVICES, Services
from collector.storage import audit, rules
from collector.storage.audit import Deed
from shared.settings import InvalidValue

EXAMPLE = {"name": "payments-half-full", "severity": "page", "raise_at": 0.5, "where": {"role": ["payments"]}}
_LEVELS = ("raise_at", "clear_at", "level")
"""What may be null, as it is told."""


class WatchedShape(TypedDict):
    """A rule in force, and where it comes from; `author` and `changed_ms` of one that was made by the API."""

    name: str
    severity: Severity
    subject: str
    condition: str
    raise_at: float | None
    clear_at: float | None
    level: float | None
    hold_s: float
    keep_s: float
    where: Where
    channels: list[str]
    origin: Annotated[str, one_of(Origin)]
    author: str | None
    changed_ms: Count | None


async def list_rules(request: web.Request) -> web.Response:
    """What is watched, and where each rule comes from."""
    found = await current(request.app[SERVICES])
    return told_if_changed(request, {"items": [watched_shape(one) for one in found]})


async def add_rule(request: web.Request) -> web.Response:
    """Watch by one more rule; 409 where one of that name was made already, or the file defines it."""
    new = await _given(request)
    return await _put(request, new, must_be_new=True)


async def put_rule(request: web.Request) -> web.Response:
    """Watch by this rule from now on, instead of one of its name; 409 where the file defines it."""
    new = await _given(request)
    if new.name != request.match_info["name"]:
        raise InvalidParameter("name", f"is {new.name!r} in the body, and another in the path")
    return await _put(request, new, must_be_new=False)


async def remove_rule(request: web.Request) -> web.Response:
    """Watch by it no longer; a built-in one of its name holds again."""
    services, name = request.app[SERVICES], request.match_info["name"]
    if not name.isprintable():
        raise UnknownRule("no rule has such a name; see /v1/rules")
    deed = await _deed(request, "rule-delete", {"rule": name})
    async with services.db.writing() as connection:
        if not await rules.remove(connection, name):
            raise UnknownRule(f"no rule named {name[:64]!r} was made by the API; see /v1/rules")
        await audit.note(connection, deed)
    audit.say(deed)
    return web.Response(status=204)


async def current(services: Services) -> Sequence[InForce]:
    """The rules in force now."""
    async with services.db.reading() as connection:
        return in_force(services.rules, await rules.all_made(connection))


def watched_shape(one: InForce) -> WatchedShape:
    """A rule, and where it comes from."""
    rule = one.rule
    return {
        "name": rule.name,
        "severity": rule.severity,
        "subject": rule.subject,
        "condition": rule.condition,
        "raise_at": rule.raise_at,
        "clear_at": rule.clear_at,
        "level": rule.level,
        "hold_s": rule.hold_s,
        "keep_s": rule.keep_s,
        "where": rule.where,
        "channels": list(rule.channels),
        "origin": one.origin.value,
        "author": one.author,
        "changed_ms": one.changed_ms,
    }


async def _given(request: web.Request) -> Rule:
    """The rule of a body, checked like one of a file. Raises InvalidParameter, CannotChange."""
    services = request.app[SERVICES]
    values = document_in(await request.read())
    told_of = {key: value for key, value in values.items() if value is not None or key not in _LEVELS}
    rule = built(Rule, told_of)
    try:
        require_known_channels("channels", rule, services.channels)
    except InvalidValue as error:
        raise InvalidParameter(error.key, str(error)) from None
    require_changeable(services.rules, rule.name)
    return rule


async def _put(request: web.Request, rule: Rule, *, must_be_new: bool) -> web.Response:
    detail = {"rule": rule.name, "is": rules.document_of(rule)}
    deed = await _deed(request, "rule-add" if must_be_new else "rule-put", detail)
    async with request.app[SERVICES].db.writing() as connection:
        is_new = await rules.put(connection, rule, deed.actor, deed.at_ms)
        if must_be_new and not is_new:
            raise CannotChange(f"a rule named {rule.name!r} was made already; PUT /v1/rules/… replaces it")
        if await rules.count(connection) > MOST_MADE:
            raise CannotChange(f"{MOST_MADE} rules were made already; delete some")
        await audit.note(connection, deed)
    audit.say(deed)
    shape = watched_shape(InForce(rule, Origin.API, deed.actor, deed.at_ms))
    return told(shape, 201 if must_be_new else 200)


async def _deed(request: web.Request, action: str, detail: dict[str, Any]) -> Deed:
    grant = await grant_of(request)
    return Deed(at_ms=request.app[SERVICES].clock(), actor=f"token {grant.id}", action=action, detail=detail)
