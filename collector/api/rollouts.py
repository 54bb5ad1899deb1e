"""GET /v1/config for agents; /v1/rollouts for people: start, see, pause, resume, abort."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from aiohttp import web

from collector.access.bearer import grant_of, require_admin, require_read
from collector.access.token import Forbidden, Scope
from collector.api.body import built, document_in
from collector.api.params import Params
from collector.fleet.host import Host
from collector.fleet.lag import lagging
from collector.rollout.plan import Plan, Rollout, State, revision_for
from collector.rollout.step import has_applied, place_of
from collector.services import SERVICES
from collector.storage import audit, hosts, rollouts
from collector.storage.audit import Deed
from collector.storage.database import AsyncConnection
from shared.errors import PortgaugeError

TURNS = {
    "pause": (State.PAUSED, (State.RUNNING,)),
    "resume": (State.RUNNING, (State.PAUSED, State.HALTED)),
    "abort": (State.ABORTED, (State.RUNNING, State.PAUSED, State.HALTED, State.DONE)),
}
"""What a person may do: to which state, out of which."""


class CannotTurn(PortgaugeError):
    """There is no such rollout, or it is in no state for that."""


async def show_config(request: web.Request) -> web.Response:
    """What the host of this push token is to use: `revision settings`; 304 where that is what it has."""
    grant, services = await grant_of(request), request.app[SERVICES]
    params = Params(request.query.items(), ("host",))
    name = grant.host or params.required("host", "lb1")
    if not grant.may_push_for(name) or grant.scope is not Scope.PUSH:
        raise Forbidden(f"this token does not speak for host {name!r}")
    async with services.db.reading() as connection:
        host = await hosts.by_name(connection, name) or Host(id=0, name=name)
        found = revision_for(await rollouts.newest(connection), place_of(host))
    told = {"revision": found.id if found else 0, "settings": found.plan.settings.document() if found else {}}
    etag = f'"{blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    return web.json_response(told, headers={"ETag": etag})


async def list_rollouts(request: web.Request) -> web.Response:
    """The newest first."""
    await require_read(request)
    Params(request.query.items(), ())
    async with request.app[SERVICES].db.reading() as connection:
        return web.json_response({"items": await standing(connection)})


async def list_lagging(request: web.Request) -> web.Response:
    """Hosts that lag behind the fleet's newest version, or differ from the revision meant for them, and how."""
    await require_read(request)
    Params(request.query.items(), ())
    async with request.app[SERVICES].db.reading() as connection:
        found = lagging(await hosts.all_hosts(connection), await rollouts.newest(connection))
    items = [
        {"host": host.name, "role": host.role, "agent_version": host.agent_version, "why": "; ".join(why)}
        for host, why in found
    ]
    return web.json_response({"items": items})


async def start_rollout(request: web.Request) -> web.Response:
    """Begin one of `author reason where settings canaries steps bake_s most_cpu_share`; 201 with its number."""
    await require_admin(request)
    services, grant = request.app[SERVICES], await grant_of(request)
    plan = built(Plan, document_in(await request.read()))
    async with services.db.writing() as connection:
        number = await start(connection, plan, f"token {grant.id}", services.clock())
    return web.json_response({"id": number}, status=201)


async def turn_rollout(request: web.Request) -> web.Response:
    """Pause, resume or abort it; 409 where it is in no state for that."""
    await require_admin(request)
    services, grant = request.app[SERVICES], await grant_of(request)
    text = request.match_info["id"]
    async with services.db.writing() as connection:
        number, action = int(text) if text.isascii() and len(text) < 10 else 0, request.match_info["action"]  # noqa: PLR2004 - an id
        await turn(connection, number, action, f"token {grant.id}", services.clock())
    return web.Response(status=204)


async def start(db: AsyncConnection, plan: Plan, actor: str, now_ms: int) -> int:
    """Begin it. Answers the number of its revision."""
    number = await rollouts.add(db, plan, now_ms)
    detail = {"revision": number, "reason": plan.reason, "settings": plan.settings.document()}
    await audit.note(db, Deed(at_ms=now_ms, actor=actor, action="rollout-start", detail=detail))
    return number


async def turn(db: AsyncConnection, number: int, action: str, actor: str, now_ms: int) -> None:
    """Do what a person asks. Raises CannotTurn."""
    to, out_of = TURNS[action]
    if not await rollouts.turn(db, number, to, out_of, now_ms):
        found = await rollouts.find(db, number)
        raise CannotTurn(
            f"rollout {number} is {found.state}: no {action}" if found else f"there is no rollout {number}"
        )
    await audit.note(db, Deed(at_ms=now_ms, actor=actor, action=f"rollout-{action}", detail={"revision": number}))


async def standing(db: AsyncConnection) -> list[dict[str, Any]]:
    """Every rollout as people read it."""
    fleet = await hosts.all_hosts(db)
    return [rollout_shape(one, fleet) for one in await rollouts.newest(db)]


def rollout_shape(one: Rollout, fleet: Sequence[Host]) -> dict[str, Any]:
    """How it stands, and on which hosts it is not as it should be."""
    meant = [host for host in fleet if one.is_for(place_of(host))]
    reached = [host for host in meant if one.has_reached(place_of(host))]
    failed = {host.name: host.state["why"] for host in reached if host.state and host.state["failed"] == one.id}
    behind = [host.name for host in reached if not has_applied(one, host) and host.name not in failed]
    return {
        "id": one.id,
        "state": one.state.value,
        "why": one.why,
        "step": one.step,
        "percent": one.percent,
        "step_ms": one.step_ms,
        "created_ms": one.created_ms,
        "hosts": len(meant),
        "reached": len(reached),
        "applied": len(reached) - len(behind) - len(failed),
        "failed": failed,
        "behind": behind,
        "baseline": {name: dict(before) for name, before in one.baseline.items()},
        **one.plan.document(),
    }
