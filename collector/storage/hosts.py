"""Hosts and the boots that were seen of them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from collector.fleet.host import CONTESTED_MS, SKEW_FLOOR_MS, Boot, Doubt, Host
from collector.storage import tables
from collector.storage.database import AsyncConnection
from collector.storage.prepared import Prepared

host, boot, pool = tables.host, tables.boot, tables.pool
_DESCRIPTION = ("interval_ms", "agent_version", "labels", "failure", "state", "forgotten_ms")
_COLUMNS = tuple(column.name for column in host.c)
_IS_THERE = host.c.forgotten_ms.is_(None)
_COUNTERS = tuple(column.name for column in host.c if column.name not in {"id", "name", *_DESCRIPTION})

_IS_IT = host.c.id == bindparam("which")
_COUNT = Prepared(
    update(host).where(_IS_IT).values({name: bindparam(name) for name in _COUNTERS}), (*_COUNTERS, "which")
)
_counters_of = attrgetter(*_COUNTERS)
_BOOT = ("first_seq", "last_seq", "received_ms")
_WHICH_BOOT = (boot.c.host_id == bindparam("which_host")) & (boot.c.boot_id == bindparam("which_boot"))
_MOVE_BOOT = Prepared(
    update(boot).where(_WHICH_BOOT).values({name: bindparam(name) for name in _BOOT}),
    (*_BOOT, "which_host", "which_boot"),
)
_ADD_BOOT = Prepared(insert(boot), (*_BOOT, "host_id", "boot_id"))

BootKey = tuple[int, str]
"""(host id, boot id)."""


async def all_hosts(db: AsyncConnection) -> list[Host]:
    """Every host that is not forgotten, by name."""
    rows = await db.execute(select(*host.c).where(_IS_THERE).order_by(host.c.name))
    # In a thread: ten thousand take a tenth of a second, for which requests must not wait.
    return await asyncio.to_thread(lambda: [_host(row) for row in rows])


async def with_forgotten(db: AsyncConnection) -> list[Host]:
    """Every host of which anything is known, forgotten ones too, by name."""
    return [_host(row) for row in await db.execute(select(*host.c).order_by(host.c.name))]


async def after_name(db: AsyncConnection, name: str, limit: int) -> list[Host]:
    """The next hosts by name that are not forgotten."""
    query = select(*host.c).where(host.c.name > name, _IS_THERE).order_by(host.c.name).limit(limit)
    return [_host(row) for row in await db.execute(query)]


async def by_name(db: AsyncConnection, name: str) -> Host | None:
    """The host of that name, if it ever reported, forgotten or not."""
    row = (await db.execute(select(*host.c).where(host.c.name == name))).one_or_none()
    return _host(row) if row else None


async def with_ids(db: AsyncConnection, ids: Collection[int]) -> list[Host]:
    """The hosts of these ids."""
    return [_host(row) for row in await db.execute(select(*host.c).where(host.c.id.in_(list(ids))))]


async def doubted(db: AsyncConnection, now_ms: int) -> dict[str, Doubt]:
    """The hosts that two machines report as, or whose clock is off, by name."""
    is_contested, is_off = (
        host.c.contested_ms >= max(1, now_ms - CONTESTED_MS),
        func.abs(host.c.skew_ms) >= SKEW_FLOOR_MS,
    )
    query = select(host.c.name, is_contested.label("is_contested"), host.c.skew_ms).where(
        is_contested | is_off, _IS_THERE
    )
    return {
        row.name: Doubt(bool(row.is_contested), row.skew_ms if abs(row.skew_ms) >= SKEW_FLOOR_MS else 0)
        for row in await db.execute(query)
    }


async def ensure(db: AsyncConnection, names: Collection[str]) -> dict[str, Host]:
    """The hosts of these names; those never heard of before are added, with nothing received yet."""
    found = await _named(db, names)
    fresh = sorted(set(names) - found.keys())
    if fresh:
        await db.execute(insert(host), [_row(Host(id=0, name=name)) for name in fresh])
        found |= await _named(db, fresh)
    return found


async def save(db: AsyncConnection, hosts: Iterable[Host], before: Mapping[str, Host] | None = None) -> None:
    """Write down hosts that are known; of those described as `before`, by name, only what changes all the time."""
    anew: list[Host] = []
    settled: list[Host] = []
    for item in hosts:
        was = (before or {}).get(item.name)
        (settled if was and _described(was) == _described(item) else anew).append(item)
    await _COUNT.run(db, [(*_counters_of(item), item.id) for item in settled])
    if anew:
        rows = [{**_row(item), "which": item.id} for item in anew]
        values: dict[str, Any] = {name: bindparam(name) for name in (*_COUNTERS, *_DESCRIPTION)}
        await db.execute(update(host).where(_IS_IT).values(values), rows)


async def boots(db: AsyncConnection, keys: Collection[BootKey]) -> dict[BootKey, Boot]:
    """The boots known of these."""
    if not keys:
        return {}
    query = select(boot.c.host_id, boot.c.boot_id, boot.c.first_seq, boot.c.last_seq).where(
        tuple_(boot.c.host_id, boot.c.boot_id).in_(list(keys))
    )
    return {(row.host_id, row.boot_id): Boot(row.first_seq, row.last_seq) for row in await db.execute(query)}


async def save_boots(
    db: AsyncConnection, known: Collection[BootKey], changed: Mapping[BootKey, Boot], received_ms: int
) -> None:
    """Write down boots that changed; `known` tells which have a row already."""
    rows = {key: (item.first_seq, item.last_seq, received_ms, *key) for key, item in changed.items()}
    await _MOVE_BOOT.run(db, [row for key, row in rows.items() if key in known])
    await _ADD_BOOT.run(db, [row for key, row in rows.items() if key not in known])


async def forget(db: AsyncConnection, name: str, now_ms: int) -> bool:
    """Say that this host is no more; its history stays. False where there is none of that name.

    Whoever appends must read it anew, and not do so before this transaction ends: `hot.claim` comes first.
    """
    done = await db.execute(update(host).where(host.c.name == name, _IS_THERE).values(forgotten_ms=now_ms))
    return done.rowcount == 1


async def forgotten(db: AsyncConnection, since_ms: int) -> list[str]:
    """Names of the hosts that were forgotten since then and have not come back."""
    return list((await db.execute(select(host.c.name).where(host.c.forgotten_ms >= since_ms))).scalars())


async def lapsed(db: AsyncConnection, before_ms: int, limit: int) -> list[str]:
    """Names of hosts that have been silent since before then, and that nobody forgot."""
    return list(
        (await db.execute(select(host.c.name).where(host.c.last_seen_ms < before_ms, _IS_THERE).limit(limit))).scalars()
    )


async def prunable(db: AsyncConnection, before_ms: int, forgotten_before_ms: int, limit: int) -> list[int]:
    """Forgotten hosts, silent since `before_ms`, of which no pool is known any more.

    The newest row of all stays until there is a newer one: SQLite would give its number to the next host.
    """
    is_empty = ~select(pool.c.id).where(pool.c.host_id == host.c.id).exists()
    is_old = (host.c.last_seen_ms < before_ms) & (host.c.forgotten_ms < forgotten_before_ms)
    query = select(host.c.id).where(is_old, is_empty, host.c.id < select(func.max(host.c.id)).scalar_subquery())
    return list((await db.execute(query.order_by(host.c.id).limit(limit))).scalars())


async def remove(db: AsyncConnection, ids: Collection[int]) -> None:
    """Take these hosts out altogether: what they last said, their boots, their names. `hot.claim` comes first."""
    for column in (tables.hot.c.host_id, boot.c.host_id, host.c.id):
        await db.execute(delete(column.table).where(column.in_(list(ids))))


async def prune_boots(db: AsyncConnection, before_ms: int) -> int:
    """Forget boots not heard of since `before_ms`, except each host's present one. Answers how many."""
    current = select(host.c.id).where(host.c.id == boot.c.host_id, host.c.boot_id == boot.c.boot_id).exists()
    result = await db.execute(boot.delete().where(boot.c.received_ms < before_ms, ~current))
    return result.rowcount


async def ids_after(db: AsyncConnection, host_id: int, limit: int) -> list[int]:
    """The next hosts by number."""
    return list(
        (await db.execute(select(host.c.id).where(host.c.id > host_id).order_by(host.c.id).limit(limit))).scalars()
    )


async def count(db: AsyncConnection) -> int:
    """How many hosts there are that are not forgotten."""
    return (await db.execute(select(func.count()).select_from(host).where(_IS_THERE))).scalar_one()


async def _named(db: AsyncConnection, names: Collection[str]) -> dict[str, Host]:
    query = select(*host.c).where(host.c.name.in_(list(names)))
    return {row.name: _host(row) for row in await db.execute(query)}


def _described(item: Host) -> tuple[object, ...]:
    return (item.interval_ms, item.agent_version, item.labels, item.failure, item.state, item.forgotten_ms)


def _host(row: Any) -> Host:
    # Ten thousand are read for a look at the fleet: a mapping of the row itself takes twice as long.
    return Host(**dict(zip(_COLUMNS, row, strict=True)))


def _row(item: Host) -> dict[str, object]:
    values = asdict(item)
    del values["id"]
    return values
