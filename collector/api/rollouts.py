"""GET /v1/config for agents; /v1/rollouts for people: start, see, pause, resume, abort."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from aiohttp import web

from collector.access.bearer import grant_of
from collector.access.token import Forbidden, Scope
from collector.alerts.where import Where
from collector.api.answer import told, told_if_changed
from collector.api.body import built, document_in
from collector.api.cursor import AfterName, cursor_of, page_of
from collector.api.operation import Handler, params_of
from collector.api.parameters import MOST_ITEMS
from collector.fleet.document import Count, one_of
from collector.fleet.host import Host
from collector.fleet.lag import lagging
from collector.rollout.plan import Plan, Rollout, State, revision_for
from collector.rollout.step import has_applied, place_of, waits_for
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
    """It is in no state for that."""


class UnknownRollout(PortgaugeError):
    """There is no rollout of that number."""


EXAMPLE = {
    "author": "ops",
    "reason": "see bursts sooner, CHG-4712",
    "settings": {"interval_s": 5.0},
    "where": {"role": ["edge"]},
    "canaries": ["lb1"],
}


class ConfigShape(TypedDict):
    """What a host is to use. `revision` 0: its own configuration."""

    revision: Count
    settings: dict[str, Any]


class LaggingShape(TypedDict):
    """A host that is not as the fleet is to be, and why."""

    host: str
    role: str | None
    agent_version: str
    why: str


class StartedShape(TypedDict):
    """The number of the revision."""

    id: int


class RolloutShape(TypedDict):
    """A revision of the fleet's configuration, how far it came, and where it is not as it should be."""

    id: int
    state: Annotated[str, one_of(State)]
    why: str
    waits_for: str
    step: Count
    percent: Count
    step_ms: Count
    created_ms: Count
    hosts: Count
    reached: Count
    applied: Count
    failed: dict[str, str]
    behind: list[str]
    baseline: dict[str, dict[str, int]]
    author: str
    reason: str
    settings: dict[str, Any]
    where: Where
    canaries: list[str]
    steps: list[int]
    bake_s: float
    most_cpu_share: float


async def show_config(request: web.Request) -> web.Response:
    """What the host of this push token is to use; 304 where that is what it has."""
    grant, services = await grant_of(request), request.app[SERVICES]
    name = grant.host or params_of(request).required("host", "lb1")
    if not grant.may_push_for(name) or grant.scope is not Scope.PUSH:
        raise Forbidden(f"this token does not speak for host {name!r}")
    async with services.db.reading() as connection:
        host = await hosts.by_name(connection, name) or Host(id=0, name=name)
        found = revision_for(await rollouts.newest(connection), place_of(host))
    document: ConfigShape = {
        "revision": found.id if found else 0,
        "settings": found.plan.settings.document() if found else {},
    }
    return told_if_changed(request, document)


async def list_rollouts(request: web.Request) -> web.Response:
    """The newest first."""
    services = request.app[SERVICES]
    async with services.db.reading() as connection:
        return told({"items": await standing(connection, services.clock())})


async def list_lagging(request: web.Request) -> web.Response:
    """Hosts that lag behind the fleet's newest version, or differ from the revision meant for them, by name."""
    params = params_of(request)
    limit = params.integer("limit", default=MOST_ITEMS, low=1, high=MOST_ITEMS)
    after = cursor_of(params, AfterName)
    async with request.app[SERVICES].db.reading() as connection:
        found = lagging(await hosts.all_hosts(connection), await rollouts.newest(connection))
    rest = sorted((one for one in found if after is None or one[0].name > after.name), key=lambda one: one[0].name)
    return told(page_of(rest[: limit + 1], limit, lambda one: lagging_shape(*one), lambda one: AfterName(one[0].name)))


def lagging_shape(host: Host, why: Sequence[str]) -> LaggingShape:
    """One host, and all that it differs in."""
    return {"host": host.name, "role": host.role, "agent_version": host.agent_version, "why": "; ".join(why)}


async def start_rollout(request: web.Request) -> web.Response:
    """Begin one; 201 with the number of its revision."""
    services, grant = request.app[SERVICES], await grant_of(request)
    plan = built(Plan, document_in(await request.read()))
    async with services.db.writing() as connection:
        number = await start(connection, plan, f"token {grant.id}", services.clock())
    return told(StartedShape(id=number), 201)


def turning(action: str) -> Handler:
    """The handler that pauses, resumes or aborts; 409 where the rollout is in no state for that."""

    async def turn_rollout(request: web.Request) -> web.Response:
        services, grant = request.app[SERVICES], await grant_of(request)
        text = request.match_info["id"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - an id
        async with services.db.writing() as connection:
            await turn(connection, number, action, f"token {grant.id}", services.clock())
        return web.Response(status=204)

    turn_rollout.__name__ = f"{action}_rollout"
    turn_rollout.__doc__ = f"{action.capitalize()} it; 409 where it is in no state for that."
    return turn_rollout


async def start(db: AsyncConnection, plan: Plan, actor: str, now_ms: int) -> int:
    """Begin it. Answers the number of its revision."""
    number = await rollouts.add(db, plan, now_ms)
    detail = {"revision": number, "reason": plan.reason, "settings": plan.settings.document()}
    await audit.note(db, Deed(at_ms=now_ms, actor=actor, action="rollout-start", detail=detail))
    return number


async def turn(db: AsyncConnection, number: int, action: str, actor: str, now_ms: int) -> None:
    """Do what a person asks. Raises UnknownRollout or CannotTurn."""
    to, out_of = TURNS[action]
    if not await rollouts.turn(db, number, to, out_of, now_ms):
        found = await rollouts.find(db, number)
        if not found:
            raise UnknownRollout(f"there is no rollout {number}")
        raise CannotTurn(f"rollout {number} is {found.state}: no {action}")
    await audit.note(db, Deed(at_ms=now_ms, actor=actor, action=f"rollout-{action}", detail={"revision": number}))


async def standing(
    db: AsyncConnection, now_ms: int, fleet: Sequence[Host] | None = None, most: int | None = None
) -> list[RolloutShape]:
    """Every rollout, or the `most` newest. `fleet`: all hosts, where somebody has just asked for them."""
    if fleet is None:
        fleet = await hosts.all_hosts(db)
    known = (await rollouts.newest(db))[:most]
    # In a thread: of ten thousand hosts each takes some hundredths of a second.
    return await asyncio.to_thread(_shapes, known, fleet, now_ms)


def _shapes(known: Sequence[Rollout], fleet: Sequence[Host], now_ms: int) -> list[RolloutShape]:
    return [rollout_shape(one, fleet, now_ms) for one in known]


def rollout_shape(one: Rollout, fleet: Sequence[Host], now_ms: int) -> RolloutShape:
    """How it stands, and on which hosts it is not as it should be."""
    meant = [(host, place) for host in fleet if one.is_for(place := place_of(host))]
    reached = [host for host, place in meant if one.has_reached(place)]
    failed = {host.name: host.state["why"] for host in reached if host.state and host.state["failed"] == one.id}
    behind = [host.name for host in reached if not has_applied(one, host) and host.name not in failed]
    return {
        "id": one.id,
        "state": one.state.value,
        "why": one.why,
        "waits_for": waits_for(one, fleet, now_ms),
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
        "author": one.plan.author,
        "reason": one.plan.reason,
        "settings": one.plan.settings.document(),
        "where": one.plan.where,
        "canaries": list(one.plan.canaries),
        "steps": list(one.plan.steps),
        "bake_s": one.plan.bake_s,
        "most_cpu_share": one.plan.most_cpu_share,
    }
