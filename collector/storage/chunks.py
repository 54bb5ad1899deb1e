"""Chunks: history by host, tier and time. What a body says is collector.history's to know."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Table, delete, func, insert, select, text, tuple_, update

from collector.history.tiers import HOUR, MINUTE, RAW, TIERS, Tier
from collector.storage import tables, upsert
from collector.storage.database import AsyncConnection

roll_due, quarantine = tables.roll_due, tables.quarantine
_TABLES: Mapping[Tier, Table] = {RAW: tables.chunk_raw, MINUTE: tables.chunk_minute, HOUR: tables.chunk_hour}

PRUNED = 500
"""Of how many the bytes are let go at a time for want of room."""

Key = tuple[int, int]
"""(host id, when the chunk begins)."""


@dataclass(frozen=True, slots=True)
class Due:
    """A chunk to be made anew from the tier below."""

    tier: Tier
    host_id: int
    from_ms: int


@dataclass(frozen=True, slots=True)
class Aside:
    """A chunk of which something is lost: it could not be read and was set aside, or a snapshot never came into it."""

    tier: Tier
    host_id: int
    from_ms: int

    @property
    def to_ms(self) -> int:
        """When its time ended."""
        return self.from_ms + self.tier.span_ms


@dataclass(frozen=True, slots=True)
class Extent:
    """What a tier holds: when its oldest and newest chunk begin; None where it is empty."""

    tier: Tier
    oldest_ms: int | None
    newest_ms: int | None


async def bodies(db: AsyncConnection, tier: Tier, keys: Collection[Key]) -> dict[Key, bytes]:
    """The chunks of these keys, those that are there."""
    table = _TABLES[tier]
    query = select(table.c.host_id, table.c.from_ms, table.c.body)
    rows = await db.execute(query.where(tuple_(table.c.host_id, table.c.from_ms).in_(list(keys))))
    return {(row.host_id, row.from_ms): row.body for row in rows}


async def of_host(db: AsyncConnection, tier: Tier, host_id: int, from_ms: int, to_ms: int) -> list[tuple[int, bytes]]:
    """(when it begins, body) of a host's chunks that touch [from_ms, to_ms), in order of time."""
    table = _TABLES[tier]
    within = (table.c.from_ms >= tier.start_of(from_ms)) & (table.c.from_ms < to_ms)
    query = select(table.c.from_ms, table.c.body).where(table.c.host_id == host_id, within).order_by(table.c.from_ms)
    return [(row.from_ms, row.body) for row in await db.execute(query)]


async def keys(db: AsyncConnection, tier: Tier, from_ms: int, to_ms: int) -> set[Key]:
    """Which chunks there are that touch [from_ms, to_ms), of all hosts."""
    table = _TABLES[tier]
    within = (table.c.from_ms >= tier.start_of(from_ms)) & (table.c.from_ms < to_ms)
    rows = await db.execute(select(table.c.host_id, table.c.from_ms).where(within))
    return {(row.host_id, row.from_ms) for row in rows}


async def put(db: AsyncConnection, tier: Tier, made: Mapping[Key, bytes]) -> None:
    """Write chunks; each replaces the one of its key."""
    if db.dialect.name == "postgresql":
        for start_ms in sorted({from_ms - from_ms % tier.partition_ms for _, from_ms in made}):
            await _ensure_partition(db, tier, start_ms)
    rows = [{"host_id": key[0], "from_ms": key[1], "body": body} for key, body in made.items()]
    await upsert.put(db, _TABLES[tier], rows)


async def owe(db: AsyncConnection, dues: Sequence[tuple[Due, int]]) -> None:
    """Note chunks to be made anew, each not before its time. What is owed already keeps its time."""
    rows = [
        {"tier": due.tier.number, "host_id": due.host_id, "from_ms": due.from_ms, "due_ms": due_ms}
        for due, due_ms in dues
    ]
    await upsert.add(db, roll_due, rows)


async def due(db: AsyncConnection, now_ms: int, limit: int) -> list[Due]:
    """What is to be made anew now, the longest due first."""
    query = select(roll_due).where(roll_due.c.due_ms <= now_ms).order_by(roll_due.c.due_ms, roll_due.c.tier)
    return [Due(TIERS[row.tier], row.host_id, row.from_ms) for row in await db.execute(query.limit(limit))]


async def owed(db: AsyncConnection, tier: Tier, host_id: int, from_ms: int, to_ms: int) -> set[int]:
    """Which of a host's chunks that touch [from_ms, to_ms) are to be made anew: what is there may lack the latest."""
    within = (roll_due.c.from_ms >= tier.start_of(from_ms)) & (roll_due.c.from_ms < to_ms)
    is_its = (roll_due.c.tier == tier.number) & (roll_due.c.host_id == host_id)
    return set((await db.execute(select(roll_due.c.from_ms).where(is_its, within))).scalars())


async def settle(db: AsyncConnection, done: Due) -> None:
    """It is made."""
    is_it = (roll_due.c.host_id == done.host_id) & (roll_due.c.from_ms == done.from_ms)
    await db.execute(delete(roll_due).where(roll_due.c.tier == done.tier.number, is_it))


async def oldest_due_ms(db: AsyncConnection, tier: Tier) -> int | None:
    """When the first chunk of the tier begins that is still to be made; what it is made from must stay."""
    query = select(func.min(roll_due.c.from_ms)).where(roll_due.c.tier == tier.number)
    found: int | None = (await db.execute(query)).scalar_one()
    return found


async def set_aside(db: AsyncConnection, tier: Tier, key: Key, why: str, now_ms: int) -> None:
    """Take a chunk that cannot be read out of the way, and keep it for whoever repairs it."""
    table = _TABLES[tier]
    is_it = (table.c.host_id == key[0]) & (table.c.from_ms == key[1])
    body = (await db.execute(select(table.c.body).where(is_it))).scalar_one_or_none()
    if body is None:
        return
    row = {"tier": tier.number, "host_id": key[0], "from_ms": key[1], "found_ms": now_ms, "why": why, "body": body}
    await db.execute(insert(quarantine).values(row))
    await db.execute(delete(table).where(is_it))


async def note_lost(db: AsyncConnection, tier: Tier, lost: Mapping[Key, str], now_ms: int) -> None:
    """Remember of the time of these chunks, and why, that something of it never came into one; each once."""
    if not lost:
        return
    its_key = (quarantine.c.host_id, quarantine.c.from_ms)
    query = select(*its_key).where(quarantine.c.tier == tier.number, tuple_(*its_key).in_(list(lost)))
    known = {(row.host_id, row.from_ms) for row in await db.execute(query)}
    rows = [
        {"tier": tier.number, "host_id": key[0], "from_ms": key[1], "found_ms": now_ms, "why": why, "body": b""}
        for key, why in lost.items()
        if key not in known
    ]
    if rows:
        await db.execute(insert(quarantine), rows)


async def aside(db: AsyncConnection, from_ms: int, to_ms: int, *, host_id: int | None = None) -> list[Aside]:
    """Of what in [from_ms, to_ms) something is lost, of all hosts or one, in order of time."""
    may_touch = (quarantine.c.from_ms > from_ms - HOUR.span_ms) & (quarantine.c.from_ms < to_ms)
    query = select(quarantine.c.tier, quarantine.c.host_id, quarantine.c.from_ms).where(may_touch)
    if host_id is not None:
        query = query.where(quarantine.c.host_id == host_id)
    rows = await db.execute(query.order_by(quarantine.c.from_ms, quarantine.c.tier))
    found = [Aside(TIERS[row.tier], row.host_id, row.from_ms) for row in rows]
    return [one for one in found if one.to_ms > from_ms]


async def set_aside_in_all(db: AsyncConnection) -> tuple[int, int]:
    """How many chunks are set aside whose bytes are kept for whoever repairs them, and how many bytes."""
    size = func.length(quarantine.c.body)
    row = (await db.execute(select(func.count(), func.coalesce(func.sum(size), 0)).where(size > 0))).one()
    return int(row[0]), int(row[1])


async def prune_aside(db: AsyncConnection, before_ms: int, found_before_ms: int, most_bytes: int) -> int:
    """Forget what was set aside of before `before_ms`. Answers of how many more the bytes were let go.

    Those are the ones found before `found_before_ms`, and of the rest the oldest, so that `most_bytes` are left. Their
    rows stay: they tell that something is missing.
    """
    await db.execute(delete(quarantine).where(quarantine.c.from_ms < before_ms))
    size = func.length(quarantine.c.body).label("size")
    rows = (await db.execute(select(quarantine.c.id, size).where(size > 0).order_by(quarantine.c.id.desc()))).all()
    beyond = [
        row.id for row, total in zip(rows, accumulate(row.size for row in rows), strict=True) if total > most_bytes
    ]
    is_over = (quarantine.c.found_ms < found_before_ms) | quarantine.c.id.in_(beyond[:PRUNED])
    return (await db.execute(update(quarantine).where(is_over, size > 0).values(body=b""))).rowcount


async def extent(db: AsyncConnection, tier: Tier) -> Extent:
    """From when to when the tier reaches."""
    column = _TABLES[tier].c.from_ms
    oldest, newest = (await db.execute(select(func.min(column)))), (await db.execute(select(func.max(column))))
    return Extent(tier, oldest.scalar_one(), newest.scalar_one())


async def drop(db: AsyncConnection, tier: Tier, before_ms: int, limit: int) -> bool:
    """Forget up to `limit` chunks that begin before `before_ms`, on PostgreSQL one partition. True: there may be more.

    On PostgreSQL only whole partitions go, so the last is kept until all of it is too old.
    """
    if db.dialect.name == "postgresql":
        return await _drop_partition(db, tier, before_ms)
    table = _TABLES[tier]
    old = select(table.c.host_id, table.c.from_ms).where(table.c.from_ms < before_ms).order_by(table.c.from_ms)
    is_old = tuple_(table.c.host_id, table.c.from_ms).in_(old.limit(limit))
    return (await db.execute(delete(table).where(is_old))).rowcount == limit


async def _ensure_partition(db: AsyncConnection, tier: Tier, start_ms: int) -> None:
    name = f"{_TABLES[tier].name}_{start_ms}"
    if (await db.execute(select(func.to_regclass(name)))).scalar_one() is None:
        end_ms = start_ms + tier.partition_ms
        statement = f"CREATE TABLE {name} PARTITION OF {_TABLES[tier].name} FOR VALUES FROM ({start_ms}) TO ({end_ms})"
        await db.execute(text(statement))


async def _drop_partition(db: AsyncConnection, tier: Tier, before_ms: int) -> bool:
    children = text("SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = to_regclass(:parent)")
    names = [row.name for row in await db.execute(children, {"parent": _TABLES[tier].name})]
    old = sorted(name for name in names if int(name.rpartition("_")[2]) + tier.partition_ms <= before_ms)
    if old:
        await db.execute(text("SET LOCAL lock_timeout = '2s'"))  # Questions under way end first; those behind wait.
        await db.execute(text(f"DROP TABLE {old[0]}"))
    return len(old) > 1
