"""Pools by number: history names a pool by four bytes.

A number is forgotten once no history names it any more, and never given again. That nobody hands one out while it is
being forgotten: whoever is about to write a chunk first notes, in one transaction, that its pools were seen, and reads
their numbers there. Of two such transactions at once one waits or passes over what the other holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from collector.history.tiers import DAY_MS
from collector.storage import tables, upsert
from collector.storage.database import AsyncConnection
from shared.model import Kind, Pool

pool, host = tables.pool, tables.host
_IDENTITY = (pool.c.netns, pool.c.kind, pool.c.local, pool.c.peer, pool.c.peer_port)
_PAGE = 500
"""Numbers a query: SQLite allows some 32,000 parameters, older builds 999."""


SEEN_EVERY_MS = DAY_MS
"""How exactly it is kept when a pool was last seen: a fleet of 500,000 pools writes six of them a second."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A pool's number. `last_ms`: no chunk that names it ends SEEN_EVERY_MS later; None where nobody knows yet."""

    number: int
    last_ms: int | None

    def is_noted(self, seen_ms: int) -> bool:
        """Whether it is written down well enough that it was seen then."""
        return self.last_ms is not None and self.last_ms >= seen_ms - SEEN_EVERY_MS


async def of_hosts(db: AsyncConnection, host_ids: Collection[int]) -> dict[int, dict[Pool, int]]:
    """Every pool of these hosts that history names, with its number, by host id."""
    found = await entries(db, host_ids)
    return {host_id: {one: entry.number for one, entry in mine.items()} for host_id, mine in found.items()}


async def entries(db: AsyncConnection, host_ids: Collection[int]) -> dict[int, dict[Pool, Numbered]]:
    """The same, with when each was last seen."""
    found: dict[int, dict[Pool, Numbered]] = {host_id: {} for host_id in host_ids}
    query = select(pool.c.id, pool.c.host_id, pool.c.last_ms, *_IDENTITY).where(pool.c.host_id.in_(list(host_ids)))
    for row in await db.execute(query):
        found[row.host_id][_pool(row)] = Numbered(row.id, row.last_ms)
    return found


async def add(db: AsyncConnection, fresh: Mapping[int, Collection[Pool]], seen_ms: int | None = None) -> None:
    """Give numbers to pools by host id; those that have one keep it."""
    rows = [_row(host_id, one) | {"last_ms": seen_ms} for host_id, pools in fresh.items() for one in sorted(pools)]
    await upsert.add(db, pool, rows)


async def note(
    db: AsyncConnection, seen: Mapping[int, Collection[Pool]], seen_ms: int
) -> dict[int, dict[Pool, Numbered]]:
    """Have these pools, by host id, named by chunks that end at `seen_ms`. Answers every pool of those hosts.

    Until the transaction ends nobody forgets their numbers, and after it they are too young for that.
    """
    known = await entries(db, seen.keys())
    stale = sorted(
        entry.number
        for host_id, pools in seen.items()
        for one in pools
        if (entry := known[host_id].get(one)) and not entry.is_noted(seen_ms)
    )
    if stale:
        is_older = or_(pool.c.last_ms.is_(None), pool.c.last_ms < seen_ms)
        moved = update(pool).where(pool.c.id == bindparam("which"), is_older).values(last_ms=seen_ms)
        await db.execute(moved, [{"which": number} for number in stale])
        known = await entries(db, seen.keys())  # One of them may have been forgotten just before it was held.
    fresh = {host_id: set(pools) - known[host_id].keys() for host_id, pools in seen.items()}
    if any(fresh.values()):
        await add(db, fresh, seen_ms)
        known = await entries(db, seen.keys())
    return known


async def adopt(db: AsyncConnection, now_ms: int, limit: int) -> int:
    """Say of up to `limit` pools of which nobody knows when they were seen that they are seen now. Answers how many."""
    unknown = select(pool.c.id).where(pool.c.last_ms.is_(None)).limit(limit).with_for_update(skip_locked=True)
    return (await db.execute(update(pool).where(pool.c.id.in_(unknown)).values(last_ms=now_ms))).rowcount


async def prune(db: AsyncConnection, before_ms: int, limit: int) -> int:
    """Forget up to `limit` pools that no chunk names which ends after `before_ms`. Answers how many.

    What somebody holds at the moment is passed over: it has just come back.
    """
    is_old = pool.c.last_ms < before_ms - SEEN_EVERY_MS
    old = select(pool.c.id).where(is_old).order_by(pool.c.last_ms).limit(limit).with_for_update(skip_locked=True)
    return (await db.execute(delete(pool).where(pool.c.id.in_(old)))).rowcount


async def number(db: AsyncConnection, host_id: int, wanted: Pool) -> int | None:
    """The pool's number, if the host ever listed it."""
    row = _row(host_id, wanted)
    query = select(pool.c.id).where(*(pool.c[name] == value for name, value in row.items()))
    found: int | None = (await db.execute(query)).scalar_one_or_none()
    return found


async def numbered(db: AsyncConnection, ids: Collection[int]) -> dict[int, tuple[str, str | None, int, Pool]]:
    """(host, role, host id, pool) by number."""
    found = {}
    wanted = list(ids)
    for start in range(0, len(wanted), _PAGE):
        query = (
            select(pool.c.id, pool.c.host_id, *_IDENTITY, host.c.name, host.c.labels)
            .join(host, host.c.id == pool.c.host_id)
            .where(pool.c.id.in_(wanted[start : start + _PAGE]))
        )
        for row in await db.execute(query):
            found[row.id] = (row.name, row.labels.get("role"), row.host_id, _pool(row))
    return found


async def towards(db: AsyncConnection, peer: bytes, peer_port: int | None) -> list[int]:
    """Which pools lead to a backend, by number."""
    query = select(pool.c.id).where(pool.c.peer == peer)
    if peer_port is not None:
        query = query.where(pool.c.peer_port == peer_port)
    return list((await db.execute(query)).scalars())


async def highest(db: AsyncConnection) -> int:
    """The largest number given; 0 before the first."""
    return int((await db.execute(select(func.coalesce(func.max(pool.c.id), 0)))).scalar_one())


def _row(host_id: int, one: Pool) -> dict[str, Any]:
    return {
        "host_id": host_id,
        "netns": one.netns,
        "kind": one.kind.value,
        "local": one.local,
        "peer": one.peer,
        "peer_port": one.peer_port,
    }


def _pool(row: Any) -> Pool:
    return Pool(row.netns, Kind(row.kind), row.local, row.peer, row.peer_port)
