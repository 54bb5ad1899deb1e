"""GET, POST /v1/silences; DELETE /v1/silences/{id}."""

from dataclasses import dataclass, field
from typing import Annotated, TypedDict

from aiohttp import web
from msgspec import Meta

from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.api.answer import told
from collector.api.body import built, document_in
from collector.api.cursor import AfterEnd, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.params import InvalidParameter
from collector.api.shapes import Severity, UnknownSilence, silence_shape
from collector.services import SERVICES
from collector.storage import silences
from shared.limits import MAX_TIME_MS
from shared.settings import InvalidValue

Time = Annotated[int, Meta(ge=0, le=MAX_TIME_MS)]
Text = Annotated[str, Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSilence:
    """What is to be silent, until when, who says so and why. `starts_ms`: now, where it is left out."""

    author: Text
    reason: Text
    ends_ms: Time
    starts_ms: Time | None = None
    where: Where = field(default_factory=Where)
    rule: tuple[str, ...] = ()
    severity: tuple[Severity, ...] = ()


EXAMPLE = {
    "author": "ops",
    "reason": "kernel upgrade, CHG-4711",
    "starts_ms": 4_102_441_200_000,
    "ends_ms": 4_102_444_800_000,
    "where": {"role": ["edge"]},
}


class MadeSilence(TypedDict):
    """The id of a silence that was made."""

    id: int


async def list_silences(request: web.Request) -> web.Response:
    """Those active and those to come, the first to end first."""
    params, now_ms = params_of(request), request.app[SERVICES].clock()
    limit = params.integer("limit", default=MOST_ITEMS, low=1, high=MOST_ITEMS)
    after = cursor_of(params, AfterEnd)
    place = (after.ends_ms, after.id) if after else None
    async with request.app[SERVICES].db.reading() as connection:
        found = await silences.current(connection, now_ms, limit=limit + 1, after=place)
    return told(
        page_of(found, limit, lambda one: silence_shape(one, now_ms), lambda one: AfterEnd(one.ends_ms, one.id))
    )


async def add_silence(request: web.Request) -> web.Response:
    """Say that nobody is to be told of something for a while."""
    now_ms = request.app[SERVICES].clock()
    made = silence_of(await request.read(), now_ms)
    async with request.app[SERVICES].db.writing() as connection:
        silence_id = await silences.add(connection, made)
    return told(MadeSilence(id=silence_id), 201)


async def expire_silence(request: web.Request) -> web.Response:
    """End it now; 404 where none that is active or to come has that id."""
    text = request.match_info["id"]
    silence_id = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0  # noqa: PLR2004 - an id
    services = request.app[SERVICES]
    async with services.db.writing() as connection:
        if not await silences.expire(connection, silence_id, services.clock()):
            raise UnknownSilence(text)
    return web.Response(status=204)


def silence_of(body: bytes, now_ms: int) -> Silence:
    """The silence that a body asks for. Raises InvalidParameter that names the key at fault."""
    new = built(NewSilence, document_in(body))
    try:
        return Silence(
            author=new.author,
            reason=new.reason,
            created_ms=now_ms,
            starts_ms=now_ms if new.starts_ms is None else new.starts_ms,
            ends_ms=new.ends_ms,
            where=new.where,
            rule=new.rule,
            severity=new.severity,
        )
    except InvalidValue as error:
        raise InvalidParameter(error.key, str(error)) from None
