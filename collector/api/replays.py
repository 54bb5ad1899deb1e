"""POST /v1/replay: the past judged again, told as it is found."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from collector.alerts.rules import Rule
from collector.alerts.where import Where
from collector.api.body import built, document_in
from collector.api.params import InvalidParameter
from collector.api.rules import current
from collector.api.silences import Time
from collector.ingest.admission import Overloaded
from collector.replay.past import LineShape, Replay, prepared
from collector.replay.plan import Asked
from collector.services import SERVICES, Services
from collector.storage.errors import StorageError
from shared.limits import MAX_TIME_MS
from shared.settings import InvalidValue

LINES = "application/x-ndjson"
BUSY_S = 30
EXAMPLE = {"from_ms": 1_795_348_800_000, "to_ms": 1_795_352_400_000, "where": {"role": ["edge"]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReplay:
    """Which window, by which rules (none: those in force), of which hosts and pools. `to_ms`: now, where left out."""

    from_ms: Time
    to_ms: Time | None = None
    rules: tuple[Rule, ...] = ()
    where: Where = field(default_factory=Where)

    def __post_init__(self) -> None:
        if self.to_ms is not None and not 0 <= self.to_ms <= MAX_TIME_MS:
            raise InvalidValue("to_ms", "is not a time this program can keep")


async def post_replay(request: web.Request) -> web.StreamResponse:
    """The past judged again by rules: a JSON object a line, the last one `done`."""
    services = request.app[SERVICES]
    if services.replaying.locked():
        raise Overloaded(BUSY_S)
    async with services.replaying:
        replay = await _replay(await request.read(), services)
        response = web.StreamResponse(headers={"Content-Type": LINES})
        await response.prepare(request)
        async with aclosing(_lines(replay)) as lines:
            async for line in lines:
                await response.write(msgspec.json.encode(line) + b"\n")
        await response.write_eof()
    return response


async def _replay(body: bytes, services: Services) -> Replay:
    new, reach = built(NewReplay, document_in(body)), services.reach()
    to_ms = min(reach.now_ms + 1, reach.now_ms + 1 if new.to_ms is None else new.to_ms)
    rules = new.rules or tuple(one.rule for one in await current(services))
    try:
        asked = Asked(rules=rules, from_ms=new.from_ms, to_ms=to_ms, where=new.where)
        return await prepared(services.db, asked, reach, services.channels_for)
    except InvalidValue as error:
        raise InvalidParameter(error.key, str(error)) from None


async def _lines(replay: Replay) -> AsyncGenerator[LineShape, None]:
    """The status is told by now: what goes wrong from here on is the last line."""
    lines = replay.lines()
    try:
        async with aclosing(lines):
            async for line in lines:
                yield line
    except StorageError:
        yield {"error": "the database cannot be used at the moment"}
