"""Alerts: where each stands, and how it came there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update

from collector.alerts.evaluate import Case, Subject, Verdict
from collector.alerts.observe import Observation
from collector.alerts.step import Alert, AlertState, Transition
from collector.storage import tables
from collector.storage.database import AsyncConnection
from shared.model import Kind, Pool, Reading
from shared.tcp import State

alert, transition, host, outbox = tables.alert, tables.transition, tables.host, tables.outbox
_POOL = ("netns", "kind", "local", "peer", "peer_port")
_SUBJECT = ("host_id", "rule", *_POOL)


@dataclass(frozen=True, slots=True)
class HostCase:
    """A case with the host it is about."""

    host: str
    case: Case


@dataclass(frozen=True, slots=True)
class PastTransition:
    """A change of state that happened: of which rule on which pool of which host, and what was held then."""

    id: int
    host: str
    rule: str
    severity: str
    pool: Pool
    at_ms: int
    before: AlertState
    after: AlertState
    held: int
    capacity: int


async def of_hosts(db: AsyncConnection, host_ids: Collection[int]) -> dict[int, dict[Subject, Case]]:
    """The cases of these hosts, by host id and subject; a host without any has an empty map."""
    cases: dict[int, dict[Subject, Case]] = {host_id: {} for host_id in host_ids}
    for row in await db.execute(select(*alert.c).where(alert.c.host_id.in_(list(host_ids)))):
        case = _case(row)
        cases[row.host_id][case.subject] = case
    return cases


async def hosts_not_unknown(db: AsyncConnection) -> set[int]:
    """Ids of the hosts with a case that claims to know how its pool is."""
    query = select(alert.c.host_id).where(alert.c.state != AlertState.UNKNOWN.value).distinct()
    return set((await db.execute(query)).scalars())


async def current(db: AsyncConnection, states: Collection[AlertState] = tuple(AlertState)) -> list[HostCase]:
    """Cases in any of these states, the hottest first."""
    share = alert.c.held * 1.0 / func.coalesce(func.nullif(alert.c.capacity, 0), 1)
    query = (
        select(*alert.c, host.c.name.label("host_name"))
        .join(host, host.c.id == alert.c.host_id)
        .where(alert.c.state.in_([state.value for state in states]))
        .order_by(share.desc(), host.c.name, alert.c.id)
    )
    return [HostCase(row.host_name, _case(row)) for row in await db.execute(query)]


async def history(db: AsyncConnection, *, limit: int, host_name: str | None = None) -> list[PastTransition]:
    """The latest changes of state, newest first."""
    query = (
        select(
            *transition.c,
            alert.c.rule,
            alert.c.severity,
            *(alert.c[name] for name in _POOL),
            host.c.name.label("host_name"),
        )
        .join(alert, alert.c.id == transition.c.alert_id)
        .join(host, host.c.id == alert.c.host_id)
        .order_by(transition.c.id.desc())
        .limit(limit)
    )
    if host_name is not None:
        query = query.where(host.c.name == host_name)
    return [_past(row) for row in await db.execute(query)]


async def count_by_state(db: AsyncConnection) -> dict[tuple[str, str], int]:
    """How many cases there are by (severity, state)."""
    query = select(alert.c.severity, alert.c.state, func.count().label("n")).group_by(alert.c.severity, alert.c.state)
    return {(row.severity, row.state): row.n for row in await db.execute(query)}


async def write(db: AsyncConnection, host_id: int, verdict: Verdict) -> int:
    """Keep the case as it stands now and the transition that brought it there. Answers the alert's id."""
    case = verdict.case
    alert_id = await _upsert(db, _row(host_id, case))
    if verdict.transition:
        await _write_transition(db, alert_id, case, verdict.transition)
    return alert_id


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget transitions before `before_ms`, and cases not firing nor owed a notice that rest since. Answers rows."""
    old = await db.execute(delete(transition).where(transition.c.at_ms < before_ms))
    is_used = (
        select(transition.c.id).where(transition.c.alert_id == alert.c.id).exists()
        | select(outbox.c.id).where(outbox.c.alert_id == alert.c.id).exists()
    )
    rests = alert.c.fired_ms.is_(None) & alert.c.state.in_([AlertState.OK.value, AlertState.UNKNOWN.value])
    cases = await db.execute(delete(alert).where(rests, alert.c.since_ms < before_ms, ~is_used))
    return old.rowcount + cases.rowcount


async def _upsert(db: AsyncConnection, values: Mapping[str, Any]) -> int:
    is_it = and_(*(alert.c[name] == values[name] for name in _SUBJECT))
    updated = await db.execute(update(alert).where(is_it).values(values).returning(alert.c.id))
    alert_id: int | None = updated.scalar_one_or_none()
    if alert_id is None:
        alert_id = (await db.execute(insert(alert).values(values).returning(alert.c.id))).scalar_one()
    return alert_id


async def _write_transition(db: AsyncConnection, alert_id: int, case: Case, moved: Transition) -> None:
    await db.execute(
        insert(transition).values(
            alert_id=alert_id,
            at_ms=moved.at_ms,
            before=moved.before.value,
            after=moved.after.value,
            held=case.seen.reading.held,
            capacity=case.seen.reading.capacity,
        )
    )


def _row(host_id: int, case: Case) -> dict[str, Any]:
    pool, reading = case.pool, case.seen.reading
    return {
        "host_id": host_id,
        "rule": case.rule,
        "severity": case.severity,
        "netns": pool.netns,
        "kind": pool.kind.value,
        "local": pool.local,
        "peer": pool.peer,
        "peer_port": pool.peer_port,
        "state": case.alert.state.value,
        "since_ms": case.alert.since_ms,
        "hot_since_ms": case.alert.hot_since_ms,
        "fired_ms": case.alert.fired_ms,
        "at_ms": case.seen_ms,
        "held": reading.held,
        "capacity": reading.capacity,
        "headroom_min": reading.headroom_min,
        "headroom_max": reading.headroom_max,
        "states": _states(reading.states),
        "is_bound": case.seen.is_bound,
    }


def _states(states: Mapping[State, int]) -> dict[str, int]:
    return {state.name: count for state, count in states.items()}


def _pool(row: Any) -> Pool:
    return Pool(row.netns, Kind(row.kind), row.local, row.peer, row.peer_port)


def _case(row: Any) -> Case:
    pool = _pool(row)
    states = {State[name]: count for name, count in row.states.items()}
    reading = Reading(pool, row.held, row.capacity, row.headroom_min, row.headroom_max, states)
    return Case(
        rule=row.rule,
        severity=row.severity,
        pool=pool,
        alert=Alert(AlertState(row.state), row.since_ms, row.hot_since_ms, row.fired_ms),
        seen=Observation(reading, row.is_bound),
        seen_ms=row.at_ms,
    )


def _past(row: Any) -> PastTransition:
    return PastTransition(
        row.id,
        row.host_name,
        row.rule,
        row.severity,
        _pool(row),
        row.at_ms,
        AlertState(row.before),
        AlertState(row.after),
        row.held,
        row.capacity,
    )
