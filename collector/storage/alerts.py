"""Alerts: where each stands, and how it came there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, literal, select, tuple_, update

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case, Verdict
from collector.alerts.record import document_of, observation_of
from collector.alerts.rules import PAGE as PAGING
from collector.alerts.step import Alert, AlertState, Transition
from collector.alerts.subject import Subject, alert_key
from collector.storage import tables
from collector.storage.database import AsyncConnection
from shared.model import Kind, Pool

alert, transition = tables.alert, tables.transition
_POOL = ("netns", "kind", "local", "peer", "peer_port")


@dataclass(frozen=True, slots=True)
class PastTransition:
    """A change of state that happened: of which rule on which subject, and what a pool held then."""

    id: int
    rule: str
    severity: str
    subject: Subject
    at_ms: int
    before: AlertState
    after: AlertState
    held: int | None
    capacity: int | None


async def remembered(db: AsyncConnection, since_ms: int) -> list[Case]:
    """Every case that matters still: not ok, or one that fired since `since_ms`; none whose host is gone."""
    matters = (alert.c.state != AlertState.OK.value) | (alert.c.last_fired_ms >= since_ms)
    matters &= alert.c.state != AlertState.GONE.value
    return [_case(row) for row in await db.execute(select(*alert.c).where(matters))]


async def current(db: AsyncConnection, states: Collection[AlertState] = tuple(AlertState)) -> list[Case]:
    """Cases in any of these states, those without a pool first, then the hottest."""
    query = (
        select(*alert.c)
        .where(alert.c.state.in_([state.value for state in states]))
        .order_by(alert.c.netns.is_not(None), alert.c.occupancy.desc(), alert.c.name, alert.c.id)
    )
    return [_case(row) for row in await db.execute(query)]


async def urgent(db: AsyncConnection, states: Sequence[AlertState], limit: int, offset: int = 0) -> list[Case]:
    """Some of the cases in these states: by the order of the states, what pages first, the hottest pools before all."""
    order = case({state.value: place for place, state in enumerate(states)}, value=alert.c.state)
    query = (
        select(*alert.c)
        .where(alert.c.state.in_([state.value for state in states]))
        .order_by(order, alert.c.severity != PAGING)
        .order_by(alert.c.netns.is_(None), alert.c.occupancy.desc(), alert.c.name, alert.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_case(row) for row in await db.execute(query)]


async def about_host(db: AsyncConnection, states: Collection[AlertState], name: str) -> list[Case]:
    """The cases of one host and of its pools, what pages first, then the hottest."""
    query = select(*alert.c).where(alert.c.state.in_([state.value for state in states]), _is_about(name))
    return [
        _case(row) for row in await db.execute(query.order_by(alert.c.severity != PAGING, alert.c.occupancy.desc()))
    ]


async def by_key(db: AsyncConnection, states: Collection[AlertState], key: str) -> Case | None:
    """The case of that key, where it is in one of these states."""
    query = select(*alert.c).where(alert.c.key == key, alert.c.state.in_([state.value for state in states]))
    row = (await db.execute(query)).one_or_none()
    return _case(row) if row else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands among the others: those of pools after the rest, the hottest first, then by name."""

    is_pool: bool
    occupancy: float
    name: str
    id: int


async def page(
    db: AsyncConnection, states: Collection[AlertState], limit: int, after: Place | None, *, by_name: bool
) -> list[tuple[Place, Case]]:
    """The next cases in any of these states, in the order of `current`, or by name."""
    is_pool = case((alert.c.netns.is_not(None), 1), else_=0)
    query = select(*alert.c).where(alert.c.state.in_([state.value for state in states])).limit(limit)
    order: list[ColumnElement[Any]] = [alert.c.name, alert.c.id]
    if not by_name:
        order = [is_pool, alert.c.occupancy.desc(), *order]
    if after:
        is_later = tuple_(alert.c.name, alert.c.id) > tuple_(literal(after.name), literal(after.id))
        if not by_name:
            is_cooler = alert.c.occupancy < after.occupancy
            is_later = is_cooler | ((alert.c.occupancy == after.occupancy) & is_later)
            is_later = (is_pool > int(after.is_pool)) | ((is_pool == int(after.is_pool)) & is_later)
        query = query.where(is_later)
    rows = await db.execute(query.order_by(*order))
    return [(Place(row.netns is not None, row.occupancy, row.name, row.id), _case(row)) for row in rows]


async def history(
    db: AsyncConnection, *, limit: int, host_name: str | None = None, before_id: int | None = None
) -> list[PastTransition]:
    """The latest changes of state, newest first; those before one of them."""
    described = [alert.c[name] for name in ("rule", "severity", "scope", "name", *_POOL)]
    query = (
        select(*transition.c, *described)
        .join(alert, alert.c.id == transition.c.alert_id)
        .order_by(transition.c.id.desc())
        .limit(limit)
    )
    if host_name is not None:
        query = query.where(_is_about(host_name))
    if before_id is not None:
        query = query.where(transition.c.id < before_id)
    return [_past(row) for row in await db.execute(query)]


async def foretold(db: AsyncConnection, names: Collection[str]) -> dict[tuple[str, Pool], float]:
    """Seconds until pools of these hosts are spent, by (host, pool), where a case that is open foretells it."""
    open_states = [AlertState.FIRING.value, AlertState.PENDING.value]
    query = select(*alert.c).where(
        alert.c.scope == Scope.POOL.value, alert.c.name.in_(list(names)), alert.c.state.in_(open_states)
    )
    cases = [_case(row) for row in await db.execute(query)]
    return {
        (one.subject.name, one.subject.pool): one.seen.forecast.seconds
        for one in cases
        if one.seen.forecast and one.subject.pool
    }


async def newest_transition(db: AsyncConnection) -> int:
    """The id of the latest change of state; 0 before the first."""
    return int((await db.execute(select(func.coalesce(func.max(transition.c.id), 0)))).scalar_one())


async def count_by_state(db: AsyncConnection) -> dict[tuple[str, str], int]:
    """How many cases there are by (severity, state)."""
    query = select(alert.c.severity, alert.c.state, func.count().label("n")).group_by(alert.c.severity, alert.c.state)
    return {(row.severity, row.state): row.n for row in await db.execute(query)}


async def write(db: AsyncConnection, verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Keep the cases as they stand now and the transitions that brought them there. Answers ids by alert key."""
    latest = {alert_key(one.case.rule, one.case.subject): one.case for one in verdicts}
    ids = await _ids(db, latest)
    known = [_row(key, case) | {"which": ids[key]} for key, case in latest.items() if key in ids]
    fresh = [_row(key, case) for key, case in latest.items() if key not in ids]
    if known:
        values: dict[str, Any] = {name: bindparam(name) for name in known[0] if name != "which"}
        await db.execute(update(alert).where(alert.c.id == bindparam("which")).values(values), known)
    if fresh:
        await db.execute(insert(alert), fresh)
        ids |= await _ids(db, [row["key"] for row in fresh])
    moved = [_moved(ids, one.case, one.transition) for one in verdicts if one.transition]
    if moved:
        await db.execute(insert(transition), moved)
    return ids


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget transitions before `before_ms`, and cases not firing that rest since. Answers rows."""
    old = await db.execute(delete(transition).where(transition.c.at_ms < before_ms))
    is_used = select(transition.c.id).where(transition.c.alert_id == alert.c.id).exists()
    resting = (AlertState.OK, AlertState.UNKNOWN, AlertState.GONE)
    rests = alert.c.fired_ms.is_(None) & alert.c.state.in_([state.value for state in resting])
    cases = await db.execute(delete(alert).where(rests, alert.c.since_ms < before_ms, ~is_used))
    return old.rowcount + cases.rowcount


PAGE = 500
"""SQLite takes 32,766 parameters a statement; a page of keys is far below."""


async def _ids(db: AsyncConnection, keys: Collection[str]) -> dict[str, int]:
    listed: list[str] = list(keys)
    found: dict[str, int] = {}
    for start in range(0, len(listed), PAGE):
        query = select(alert.c.key, alert.c.id).where(alert.c.key.in_(listed[start : start + PAGE]))
        found |= {row.key: row.id for row in await db.execute(query)}
    return found


def _moved(ids: dict[str, int], case: Case, moved: Transition) -> dict[str, Any]:
    reading = case.seen.reading
    return {
        "alert_id": ids[alert_key(case.rule, case.subject)],
        "at_ms": moved.at_ms,
        "before": moved.before.value,
        "after": moved.after.value,
        "held": reading.held if reading else None,
        "capacity": reading.capacity if reading else None,
    }


def _row(key: str, case: Case) -> dict[str, Any]:
    pool, now = case.subject.pool, case.alert
    return {
        "key": key,
        "rule": case.rule,
        "severity": case.severity,
        "scope": case.subject.scope.value,
        "name": case.subject.name,
        "role": case.role,
        "netns": pool.netns if pool else None,
        "kind": pool.kind.value if pool else None,
        "local": pool.local if pool else None,
        "peer": pool.peer if pool else None,
        "peer_port": pool.peer_port if pool else None,
        "state": now.state.value,
        "since_ms": now.since_ms,
        "hot_since_ms": now.hot_since_ms,
        "fired_ms": now.fired_ms,
        "calm_since_ms": now.calm_since_ms,
        "flaps": now.flaps,
        "last_fired_ms": now.last_fired_ms,
        "at_ms": case.seen_ms,
        "occupancy": case.seen.reading.occupancy if case.seen.reading else 0.0,
        "seen": document_of(case.seen),
    }


def _subject(row: Any) -> Subject:
    pool = Pool(row.netns, Kind(row.kind), row.local, row.peer, row.peer_port) if row.kind else None
    return Subject(Scope(row.scope), row.name, pool)


def _is_about(host: str) -> ColumnElement[bool]:
    return alert.c.scope.in_([Scope.POOL.value, Scope.HOST.value]) & (alert.c.name == host)


def _case(row: Any) -> Case:
    subject = _subject(row)
    return Case(
        rule=row.rule,
        severity=row.severity,
        subject=subject,
        alert=Alert(
            AlertState(row.state),
            row.since_ms,
            row.hot_since_ms,
            row.fired_ms,
            row.calm_since_ms,
            row.flaps,
            row.last_fired_ms,
        ),
        seen=observation_of(row.seen, subject.pool),
        seen_ms=row.at_ms,
        role=row.role,
    )


def _past(row: Any) -> PastTransition:
    return PastTransition(
        row.id,
        row.rule,
        row.severity,
        _subject(row),
        row.at_ms,
        AlertState(row.before),
        AlertState(row.after),
        row.held,
        row.capacity,
    )
