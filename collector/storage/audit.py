"""Who did what to tokens and to the fleet's configuration; written in the transaction of the deed itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select

from collector.storage import tables
from collector.storage.database import AsyncConnection
from shared.logs import fields

audit = tables.audit
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line of the record. `detail` holds no secret."""

    at_ms: int
    actor: str
    action: str
    host: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


async def note(db: AsyncConnection, deed: Deed) -> None:
    """Write it down."""
    values = {"at_ms": deed.at_ms, "actor": deed.actor, "action": deed.action, "host": deed.host}
    await db.execute(insert(audit).values(values | {"detail": dict(deed.detail)}))


def say(deed: Deed) -> None:
    """Log it, once it is written down."""
    facts = {name: value for name, value in deed.detail.items() if value is not None}
    log.info("audit", extra=fields(**{**facts, "action": deed.action, "actor": deed.actor, "host": deed.host or ""}))


async def newest(db: AsyncConnection, *, limit: int, host: str | None = None) -> list[Deed]:
    """The record, newest first; of one host only, where one is named."""
    query = select(*audit.c).order_by(audit.c.id.desc()).limit(limit)
    if host is not None:
        query = query.where(audit.c.host == host)
    return [
        Deed(at_ms=row.at_ms, actor=row.actor, action=row.action, host=row.host, detail=row.detail)
        for row in await db.execute(query)
    ]


async def prune(db: AsyncConnection, before_ms: int) -> int:
    """Forget what is older. Answers how many."""
    return (await db.execute(delete(audit).where(audit.c.at_ms < before_ms))).rowcount
