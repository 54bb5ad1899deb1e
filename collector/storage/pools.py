"""Pools by number: history names a pool by four bytes."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select

from collector.storage import tables, upsert
from collector.storage.database import AsyncConnection
from shared.model import Kind, Pool

pool, host = tables.pool, tables.host
_IDENTITY = (pool.c.netns, pool.c.kind, pool.c.local, pool.c.peer, pool.c.peer_port)
_PAGE = 500
"""Numbers a query: SQLite allows some 32,000 parameters, older builds 999."""


async def of_hosts(db: AsyncConnection, host_ids: Collection[int]) -> dict[int, dict[Pool, int]]:
    """Every pool these hosts ever listed, with its number, by host id."""
    found: dict[int, dict[Pool, int]] = {host_id: {} for host_id in host_ids}
    query = select(pool.c.id, pool.c.host_id, *_IDENTITY).where(pool.c.host_id.in_(list(host_ids)))
    for row in await db.execute(query):
        found[row.host_id][_pool(row)] = row.id
    return found


async def add(db: AsyncConnection, fresh: Mapping[int, Collection[Pool]]) -> None:
    """Give numbers to pools by host id; those that have one keep it."""
    rows = [_row(host_id, one) for host_id, pools in fresh.items() for one in sorted(pools)]
    await upsert.add(db, pool, rows)


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


async def towards(db: AsyncConnection, peer: bytes, peer_port: int | None) -> dict[int, str]:
    """Which pools lead to a backend: number to host name."""
    query = select(pool.c.id, host.c.name).join(host, host.c.id == pool.c.host_id).where(pool.c.peer == peer)
    if peer_port is not None:
        query = query.where(pool.c.peer_port == peer_port)
    return {row.id: row.name for row in await db.execute(query)}


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
