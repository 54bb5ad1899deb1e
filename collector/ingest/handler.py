"""POST /v1/snapshots as aiohttp reads it: whatever collector.ingest.front does not take to be a push of an agent's."""

import asyncio

from aiohttp import web

from collector.access.bearer import grant_of
from collector.ingest import body
from collector.ingest.desk import DECODE_ASIDE_BYTES, document_of
from collector.ingest.judging import arrival_of, require_push
from collector.services import SERVICES


async def post_snapshot(request: web.Request) -> web.Response:
    """Keep a snapshot. What is answered 202 survives a power cut."""
    services = request.app[SERVICES]
    grant = await grant_of(request)
    require_push(grant)
    body.require_readable(request)
    with services.admission.admit(body.room_for(request)):
        data = await body.read(request)
        received_ms = services.clock()
        if len(data) > DECODE_ASIDE_BYTES:
            arrival = await asyncio.to_thread(arrival_of, data, grant, received_ms)
        else:
            arrival = arrival_of(data, grant, received_ms)
        is_duplicate = await services.intake.take(arrival, grant.id)
    services.metrics.count_snapshot("duplicate" if is_duplicate else "accepted", len(data))
    told = document_of(
        is_duplicate=is_duplicate,
        config_revision=services.releases.revision_of(arrival.snapshot),
        renew_token=grant.id in services.intake.renewals,
    )
    return web.json_response(told, status=202)
