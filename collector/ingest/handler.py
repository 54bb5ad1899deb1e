"""POST /v1/snapshots."""

import asyncio

from aiohttp import web

from collector.access.bearer import Forbidden, grant_of
from collector.access.token import Scope
from collector.fleet.host import Arrival
from collector.ingest import body
from collector.services import SERVICES
from shared import wire
from shared.model import Snapshot

CONFIG_REVISION = 0
DECODE_ASIDE_BYTES = 64 * 1024
"""Larger bodies are decoded in a thread, so that one fat report does not hold up a thousand thin ones."""


async def post_snapshot(request: web.Request) -> web.Response:
    """Keep a snapshot. What is answered 202 survives a power cut."""
    services = request.app[SERVICES]
    grant = await grant_of(request)
    if grant.scope is not Scope.PUSH:
        raise Forbidden(f"a {grant.scope} token cannot push; make one with: token create --scope push")
    body.require_readable(request)
    with services.admission.admit(body.room_for(request)):
        data = await body.read(request)
        received_ms = services.clock()
        snapshot = await _decode(data)
        if not grant.may_push_for(snapshot.host):
            raise Forbidden(f"this token speaks for host {grant.host!r}, not for {snapshot.host!r}")
        is_duplicate = await services.intake.take(Arrival(snapshot, data, received_ms))
    services.metrics.count_snapshot("duplicate" if is_duplicate else "accepted", len(data))
    answer = {"accepted": True, "duplicate": is_duplicate, "config_revision": CONFIG_REVISION}
    return web.json_response(answer, status=202)


async def _decode(data: bytes) -> Snapshot:
    if len(data) > DECODE_ASIDE_BYTES:
        return await asyncio.to_thread(wire.decode, data)
    return wire.decode(data)
