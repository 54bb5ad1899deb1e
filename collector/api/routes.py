"""Everything the API answers, a line each: to add a route, write its handler and add its line to OPERATIONS.

The line is all there is to do: it checks the token's scope, refuses undeclared parameters (the handler reads them with
`params_of`), and says to `/openapi.json` what is asked and given. Types of answers and bodies are TypedDicts or
dataclasses beside their handler. Then `python -m tools.openapi` writes docs/openapi.json anew.
"""

from typing import Any

from aiohttp import web

from collector.access.enrolment import Candidate, NewToken
from collector.access.token import Scope
from collector.alerts.rules import Rule
from collector.alerts.step import AlertState
from collector.api import (
    alerts,
    enrol,
    export,
    fleet,
    health,
    hosts,
    notices,
    openapi,
    plan,
    pools,
    replays,
    rollouts,
    rules,
    silences,
    top,
    trend,
)
from collector.api.operation import Body, Operation, Parameter, serve
from collector.api.parameters import CURSOR, FROM, HOST, MOST_ITEMS, TO, choice, limit, number, text
from collector.api.shapes import (
    AlertShape,
    HostShape,
    Items,
    Listing,
    NoticeShape,
    PoolNowShape,
    Ranking,
    SilenceShape,
    TransitionShape,
)
from collector.history.tiers import TIERS
from collector.ingest.desk import Taken
from collector.ingest.handler import post_snapshot
from collector.replay.past import LineShape
from collector.rollout.plan import Plan
from shared import wire
from shared.limits import MAX_POOLS

WINDOW = (FROM, TO)
PEER_EXAMPLE = "10.0.9.21:8080"
STEP = number("step", "seconds a point", 0.001, trend.MAX_STEP_S)
MINUTES = Parameter(
    "step",
    "seconds a point, whole minutes",
    {"type": "integer", "minimum": 60, "maximum": fleet.MAX_STEP_S, "multipleOf": 60},
)


def get(path: str, handler: Any, answer: Any, *query: Parameter, **more: Any) -> Operation:
    """An operation that reads."""
    return Operation(method="GET", path=path, handler=handler, answer=answer, query=query, **more)


OPERATIONS = (
    get("/v1/hosts", hosts.list_hosts, Listing[HostShape], limit(MOST_ITEMS), CURSOR),
    get("/v1/hosts/{host}", hosts.show_host, HostShape),
    Operation(
        method="DELETE",
        path="/v1/hosts/{host}",
        handler=hosts.forget_host,
        scope=Scope.ADMIN,
        answer=hosts.ForgottenShape,
    ),
    get(
        "/v1/pools",
        pools.list_pools,
        Listing[PoolNowShape],
        HOST,
        text("peer", "towards this backend: IP or IP:PORT", PEER_EXAMPLE),
        number("min_occupancy", "only pools that are so full", 0, 1),
        choice("order", "the hottest first, or by host and pool", pools.ORDERS),
        limit(100, MAX_POOLS),
        CURSOR,
    ),
    get(
        "/v1/trend",
        trend.show_trend,
        trend.TrendShape,
        Parameter("host", "whose pool", HOST.schema, is_required=True, example="lb1"),
        text("local", "its source address", "10.0.3.7", is_required=True),
        text("peer", "the backend, IP:PORT", PEER_EXAMPLE, is_required=True),
        text("netns", "its network namespace, where the host has several", "host"),
        *WINDOW,
        STEP,
        faults=(404,),
    ),
    get("/v1/top", top.show_top, Ranking[top.PeakShape], *WINDOW, limit(50)),
    get("/v1/growth", top.show_growth, Ranking[top.RiseShape], *WINDOW, limit(50)),
    get(
        "/v1/peers",
        top.show_peers,
        Ranking[top.PeakShape],
        text("peer", "the backend, IP or IP:PORT", PEER_EXAMPLE, is_required=True),
        *WINDOW,
        limit(100),
    ),
    get("/v1/near-misses", top.show_near_misses, Ranking[top.NearMissShape], *WINDOW, limit(10)),
    get(
        "/v1/fleet",
        fleet.show_fleet,
        fleet.FleetShape,
        *WINDOW,
        MINUTES,
        text("quantiles", "up to 10 numbers from 0 to 1", "0.5,0.95"),
    ),
    get(
        "/v1/export",
        export.send_export,
        None,
        HOST,
        choice("tier", "as taken, by the minute or by the hour", [tier.name for tier in TIERS]),
        *WINDOW,
        media_type="text/csv",
        faults=(404,),
    ),
    get("/v1/plan", plan.show_plan, plan.CapacityPlanShape, *plan.PARAMETERS),
    get("/v1/drift", fleet.show_drift, Listing[fleet.DriftShape], limit(MOST_ITEMS), CURSOR),
    get("/v1/storage", fleet.show_storage, fleet.StorageShape),
    get(
        "/v1/alerts",
        alerts.list_alerts,
        Listing[AlertShape],
        choice("state", "only those that stand there", AlertState),
        choice("order", "the hottest first, or by name of what they are about", alerts.ORDERS),
        limit(MOST_ITEMS),
        CURSOR,
    ),
    get("/v1/transitions", alerts.list_transitions, Listing[TransitionShape], HOST, limit(100), CURSOR),
    get(
        "/v1/notices",
        notices.list_notices,
        Listing[NoticeShape],
        text("channel", "to this channel only", "ops"),
        limit(100),
        CURSOR,
    ),
    get("/v1/rules", rules.list_rules, Items[rules.WatchedShape], is_conditional=True),
    Operation(
        method="POST",
        path="/v1/rules",
        handler=rules.add_rule,
        scope=Scope.ADMIN,
        body=Body(Rule, example=rules.EXAMPLE),
        answer=rules.WatchedShape,
        status=201,
        faults=(409,),
    ),
    Operation(
        method="PUT",
        path="/v1/rules/{name}",
        handler=rules.put_rule,
        scope=Scope.ADMIN,
        body=Body(Rule, example=rules.EXAMPLE),
        answer=rules.WatchedShape,
        faults=(409,),
    ),
    Operation(method="DELETE", path="/v1/rules/{name}", handler=rules.remove_rule, scope=Scope.ADMIN, status=204),
    Operation(
        method="POST",
        path="/v1/replay",
        handler=replays.post_replay,
        body=Body(replays.NewReplay, example=replays.EXAMPLE),
        answer=LineShape,
        media_type=replays.LINES,
    ),
    get("/v1/silences", silences.list_silences, Listing[SilenceShape], limit(MOST_ITEMS), CURSOR),
    Operation(
        method="POST",
        path="/v1/silences",
        handler=silences.add_silence,
        scope=Scope.ADMIN,
        body=Body(silences.NewSilence, example=silences.EXAMPLE),
        answer=silences.MadeSilence,
        status=201,
    ),
    Operation(
        method="DELETE", path="/v1/silences/{id}", handler=silences.expire_silence, scope=Scope.ADMIN, status=204
    ),
    Operation(
        method="POST",
        path="/v1/enrol",
        handler=enrol.post_enrol,
        scope=Scope.JOIN,
        body=Body(Candidate, example=enrol.EXAMPLE),
        answer=enrol.TokenShape,
        status=201,
        faults=(409,),
    ),
    Operation(
        method="POST",
        path="/v1/token",
        handler=enrol.post_token,
        scope=Scope.PUSH,
        body=Body(NewToken, example=enrol.EXAMPLE_TOKEN),
        answer=enrol.TokenShape,
        status=201,
        faults=(409,),
    ),
    get(
        "/v1/config",
        rollouts.show_config,
        rollouts.ConfigShape,
        text("host", "whose, where the token is not one host's own", "lb1"),
        scope=Scope.PUSH,
        is_conditional=True,
    ),
    get("/v1/lagging", rollouts.list_lagging, Listing[rollouts.LaggingShape], limit(MOST_ITEMS), CURSOR),
    get("/v1/rollouts", rollouts.list_rollouts, Items[rollouts.RolloutShape]),
    Operation(
        method="POST",
        path="/v1/rollouts",
        handler=rollouts.start_rollout,
        scope=Scope.ADMIN,
        body=Body(Plan, example=rollouts.EXAMPLE),
        answer=rollouts.StartedShape,
        status=201,
    ),
    *(
        Operation(
            method="POST",
            path=f"/v1/rollouts/{{id}}/{action}",
            handler=rollouts.turning(action),
            scope=Scope.ADMIN,
            status=204,
            faults=(409,),
        )
        for action in rollouts.TURNS
    ),
    get("/healthz", health.healthz, health.HealthShape, scope=None),
    get("/readyz", health.readyz, health.HealthShape, scope=None, faults=(503,)),
    get("/metrics", health.expose, None, scope=None, media_type="text/plain", faults=(401, 403, 503)),
    get("/openapi.json", openapi.show_openapi, dict[str, Any], scope=None, is_conditional=True),
)
SNAPSHOTS = Operation(
    method="POST",
    path="/v1/snapshots",
    handler=post_snapshot,
    scope=Scope.PUSH,
    body=Body(None, wire.CONTENT_TYPE),
    answer=Taken,
    status=202,
    faults=(409, 415),
)


def add_api(app: web.Application, *, takes_snapshots: bool) -> None:
    """Serve the API from this app."""
    operations = (*OPERATIONS, *((SNAPSHOTS,) if takes_snapshots else ()))
    openapi.prepare(app, operations)
    app.add_routes([serve(operation) for operation in operations])
