"""The hot log: every snapshot as it was received, in the order it was received."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from collector.fleet.host import Arrival
from collector.storage import tables
from collector.storage.database import AsyncConnection
from collector.storage.prepared import Prepared
from collector.trends.window import Window

hot, host, cursor = tables.hot, tables.host, tables.cursor
_LOGGED = (hot.c.id, hot.c.host_id, hot.c.received_ms, hot.c.taken_ms, hot.c.body)

LOG_END = "log end"
"""The cursor that stands on the last id given out."""

_ROW = ("id", "received_ms", "taken_ms", "host_id", "boot_id", "seq", "is_newest", "body")
_INSERT = Prepared(insert(hot), _ROW)
_CLAIM = (
    update(cursor)
    .where(cursor.c.name == LOG_END)
    .values(hot_id=cursor.c.hot_id + bindparam("count"))
    .returning(cursor.c.hot_id)
)
_NEWEST_AFTER = (
    select(*_LOGGED).where(hot.c.id > bindparam("after"), hot.c.is_newest).order_by(hot.c.id).limit(bindparam("most"))
)

Key = tuple[int, str, int]
"""(host id, boot id, seq)."""


class Entry(NamedTuple):
    """An arrival to be appended; `is_newest` where nothing newer of its host had been received."""

    host_id: int
    arrival: Arrival
    is_newest: bool

    @property
    def key(self) -> Key:
        """What no two rows share."""
        return (self.host_id, self.arrival.snapshot.boot_id, self.arrival.snapshot.seq)


class Logged(NamedTuple):
    """A snapshot of the log. Times are ms; `taken_ms` is by the host's clock, never after `received_ms`."""

    id: int
    host_id: int
    received_ms: int
    taken_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Share:
    """How much is taken at a time: rows, and bytes of their bodies."""

    rows: int
    size: int


async def present(db: AsyncConnection, keys: Collection[Key]) -> dict[Key, bytes]:
    """Which of these are in the log already, with their bodies."""
    if not keys:
        return {}
    columns = (hot.c.host_id, hot.c.boot_id, hot.c.seq)
    rows = await db.execute(select(*columns, hot.c.body).where(tuple_(*columns).in_(list(keys))))
    return {(row.host_id, row.boot_id, row.seq): row.body for row in rows}


async def claim(db: AsyncConnection, count: int) -> int:
    """Be the only one to append until this transaction ends. Answers the first of `count` ids nobody had before.

    The log is read by its ids: one given out early and committed late would be passed over. SQLite has one writer
    anyway; on PostgreSQL whoever holds this row has his turn, also with what an append reads and writes of its hosts.
    """
    return int((await db.execute(_CLAIM, {"count": count})).scalar_one()) - count + 1


async def append(db: AsyncConnection, entries: Sequence[Entry], first: int | None = None) -> list[int]:
    """Append, from the id `first` on where it was claimed, else where the log ends. Answers the ids."""
    if first is None:
        first = await claim(db, len(entries))
    ids = list(range(first, first + len(entries)))
    await _INSERT.run(db, [_row(hot_id, entry) for hot_id, entry in zip(ids, entries, strict=True)])
    return ids


def _row(hot_id: int, entry: Entry) -> tuple[object, ...]:
    arrival, snapshot = entry.arrival, entry.arrival.snapshot
    times = (arrival.received_ms, arrival.taken_ms)
    return (hot_id, *times, entry.host_id, snapshot.boot_id, snapshot.seq, entry.is_newest, arrival.body)


async def newest_after(db: AsyncConnection, hot_id: int, limit: int) -> list[Logged]:
    """The next snapshots past `hot_id` that were news of their host when received, in that order."""
    return [Logged(*row) for row in await db.execute(_NEWEST_AFTER, {"after": hot_id, "most": limit})]


async def last_good(db: AsyncConnection, host_ids: Collection[int]) -> dict[int, Logged]:
    """Of each of these hosts the newest snapshot that is not a failure, by host id."""
    query = select(*_LOGGED).join(host, host.c.latest_good_hot_id == hot.c.id).where(host.c.id.in_(list(host_ids)))
    rows = await db.execute(query)
    return {row.host_id: Logged(*row) for row in rows}


async def window(
    db: AsyncConnection, host_id: int, span: Window, *, after: tuple[int, int], limit: int
) -> list[Logged]:
    """A page of one host's snapshots in the window that no chunk holds, oldest first, past `after` (taken_ms, id)."""
    query = (
        select(*_LOGGED)
        .where(hot.c.host_id == host_id, hot.c.taken_ms >= span.from_ms, hot.c.taken_ms < span.to_ms, ~hot.c.is_settled)
        .where(tuple_(hot.c.taken_ms, hot.c.id) > tuple_(*after))
        .order_by(hot.c.taken_ms, hot.c.id)
        .limit(limit)
    )
    return [Logged(*row) for row in await db.execute(query)]


async def has_unsettled(db: AsyncConnection, host_id: int, from_ms: int, to_ms: int) -> bool:
    """Whether the log has something of this host, taken in [from_ms, to_ms), that no chunk holds."""
    taken = (hot.c.taken_ms >= from_ms) & (hot.c.taken_ms < to_ms)
    query = select(hot.c.id).where(hot.c.host_id == host_id, taken, ~hot.c.is_settled).limit(1)
    return (await db.execute(query)).first() is not None


async def extents(db: AsyncConnection) -> dict[int, tuple[int, int]]:
    """From when to when (taken, ms, both ends included) the log has what no chunk holds, by host id."""
    ends = (func.min(hot.c.taken_ms).label("first"), func.max(hot.c.taken_ms).label("last"))
    rows = await db.execute(select(hot.c.host_id, *ends).where(~hot.c.is_settled).group_by(hot.c.host_id))
    return {row.host_id: (row.first, row.last) for row in rows}


async def unsettled(
    db: AsyncConnection, host_ids: Collection[int], share: Share, *, before_ms: int, up_to_id: int
) -> tuple[list[Logged], bool]:
    """Snapshots of these hosts that no chunk holds yet, taken before `before_ms`: by host, then by time taken.

    Answers no more than a share, at least one; and whether that is all.
    """
    query = (
        select(hot.c.id, func.length(hot.c.body).label("size"))
        .where(hot.c.host_id.in_(list(host_ids)), hot.c.taken_ms < before_ms, hot.c.id <= up_to_id, ~hot.c.is_settled)
        .order_by(hot.c.host_id, hot.c.taken_ms, hot.c.id)
        .limit(share.rows)
    )
    found = (await db.execute(query)).all()
    fits = [size <= share.size for size in accumulate(row.size for row in found)]
    ids = [row.id for row in found][: max(1, sum(fits))]
    rows = await db.execute(select(*_LOGGED).where(hot.c.id.in_(ids)))
    by_id = {row.id: Logged(*row) for row in rows}
    return [by_id[hot_id] for hot_id in ids], len(ids) < share.rows and len(ids) == len(found)


async def settle(db: AsyncConnection, rows: Collection[Logged], *, kept: Collection[int] = ()) -> None:
    """Take these out of the log: chunks hold them. Each host's newest (good) one stays, and so do the ids in `kept`."""
    ids = {row.id for row in rows}
    newest = (host.c.latest_hot_id, host.c.latest_good_hot_id)
    found = await db.execute(select(*newest).where(host.c.id.in_({row.host_id for row in rows})))
    stay = ids & {*kept, *(hot_id for pair in found for hot_id in pair)}
    await db.execute(update(hot).where(hot.c.id.in_(stay)).values(is_settled=True))
    await db.execute(delete(hot).where(hot.c.id.in_(ids - stay)))


async def latest(db: AsyncConnection, host_id: int, *, since_ms: int, limit: int) -> list[Logged]:
    """One host's newest snapshots taken since then, oldest first."""
    query = (
        select(*_LOGGED)
        .where(hot.c.host_id == host_id, hot.c.taken_ms >= since_ms)
        .order_by(hot.c.taken_ms.desc(), hot.c.id.desc())
        .limit(limit)
    )
    return [Logged(*row) for row in await db.execute(query)][::-1]


async def prune(db: AsyncConnection, before_ms: int, limit: int) -> int:
    """Delete up to `limit` snapshots received before `before_ms`, no host's newest (good) one. Answers how many."""
    old = (
        select(hot.c.id)
        .where(hot.c.received_ms < before_ms, hot.c.id.not_in(select(host.c.latest_hot_id)))
        .where(hot.c.id.not_in(select(host.c.latest_good_hot_id)))
        .order_by(hot.c.received_ms)
        .limit(limit)
    )
    result = await db.execute(delete(hot).where(hot.c.id.in_(old)))
    return result.rowcount
