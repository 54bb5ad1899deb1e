"""Incidents: what people were told of, and is not over."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from collector.alerts.incidents import Change, Incident
from collector.storage import tables
from collector.storage.database import AsyncConnection

incident = tables.incident


async def open_ones(db: AsyncConnection) -> list[Incident]:
    """Those that are not over."""
    query = select(*incident.c).where(incident.c.closed_ms.is_(None)).order_by(incident.c.id)
    return [_incident(row) for row in await db.execute(query)]


async def write(db: AsyncConnection, changes: Sequence[Change], now_ms: int) -> None:
    """Keep incidents as they stand now."""
    for change in changes:
        values = _row(change.incident) | {"closed_ms": now_ms if change.is_over else None}
        done = await db.execute(update(incident).where(incident.c.key == change.incident.key).values(values))
        if done.rowcount == 0:
            await db.execute(insert(incident), [values])


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget incidents that ended before `before_ms`. Answers how many."""
    return (await db.execute(delete(incident).where(incident.c.closed_ms < before_ms))).rowcount


def _row(one: Incident) -> dict[str, Any]:
    return {
        "key": one.key,
        "severity": one.severity,
        "cause": one.cause,
        "opened_ms": one.opened_ms,
        "told_ms": one.told_ms,
        "tellings": one.tellings,
        "told_hosts": one.told_hosts,
        "channels": list(one.channels),
        "lead": one.lead,
    }


def _incident(row: Any) -> Incident:
    return Incident(
        severity=row.severity,
        cause=row.cause,
        opened_ms=row.opened_ms,
        told_ms=row.told_ms,
        tellings=row.tellings,
        told_hosts=row.told_hosts,
        channels=tuple(row.channels),
        lead=row.lead,
    )
