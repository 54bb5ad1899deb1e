"""One pool's trend: from chunks of the tier that fits, finer ones where that has none yet, and the hot log."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from collector.alerts.observe import observe
from collector.fleet.host import Host
from collector.history.chunk import CorruptChunk
from collector.history.codec import Reader
from collector.history.tiers import BELOW, DAY_MS, HOUR_MS, MINUTE_MS, RAW, Reach, Tier
from collector.storage import chunks, hot, pools
from collector.storage.database import AsyncConnection, Database
from collector.storage.hot import Logged
from collector.trends.detail import Detail
from collector.trends.plan import is_missed, missing, stretches_of, tier_for, within
from collector.trends.series import Point, Series, Stretch, joined
from collector.trends.window import Span, Window, united
from shared import wire
from shared.errors import PortgaugeError
from shared.logs import fields
from shared.model import Pool, Snapshot

PAGE = 64
log = logging.getLogger(__name__)


class AmbiguousNamespace(PortgaugeError):
    """The host has several network namespaces, and more or less than one of them lists the pool."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"is needed, one of: {', '.join(sorted(names))}")
        self.names = tuple(names)


@dataclass(slots=True)
class Trend:
    """A point a step of the window, whose steps may be wider than asked for.

    `lost`: stretches of which history cannot tell all that it once held; `damaged`: those of them whose chunk still
    stands where it did. `detail`: states and settings, where they were asked for.
    """

    window: Window
    tier: Tier
    points: list[Point] = field(default_factory=list)
    damaged: list[Span] = field(default_factory=list)
    lost: list[Span] = field(default_factory=list)
    detail: Detail | None = None


async def trend(db: Database, host: Host, pool: Pool, window: Window, reach: Reach) -> Trend:
    """One pool over the window. An unlisted pool holds nothing where its namespace is listed completely."""
    tier, window = tier_for(window, reach)
    return await _filled(db, host, pool, Trend(window, tier), reach)


async def detailed_trend(db: Database, host: Host, pool: Pool, window: Window, reach: Reach) -> Trend:
    """The same, with states and settings."""
    tier, window = tier_for(window, reach)
    return await _filled(db, host, pool, Trend(window, tier, detail=Detail(window)), reach)


async def _filled(db: Database, host: Host, pool: Pool, made: Trend, reach: Reach) -> Trend:
    series = Series(made.window)
    async with db.reading() as connection:  # One view: what leaves the log meanwhile is in a chunk, never in both.
        await _add_chunks(connection, host.id, pool, series, (made, reach))
        await _add_log(connection, host.id, pool, series, made)
    made.points = series.points()
    made.lost = united(made.lost, (made.window.start_ms(0), made.window.to_ms))
    return made


async def maxima(db: Database, host: Host, pool: Pool, until_ms: int, reach: Reach) -> list[Point]:
    """A point for each minute of the 24 hours before: what a forecast is made from."""
    window = Window(until_ms - 24 * HOUR_MS, until_ms + 1, MINUTE_MS)
    return (await trend(db, host, pool, window, reach)).points


async def week_before(db: Database, host: Host, pool: Pool, until_ms: int, reach: Reach) -> list[tuple[float, int]]:
    """(when in s, most ports held) of each hour of the week before, of the last day of each minute: a memory."""
    days = Window(until_ms - 7 * DAY_MS, until_ms - DAY_MS, HOUR_MS)
    earlier = (await trend(db, host, pool, days, reach)).points
    points = [*earlier, *await maxima(db, host, pool, until_ms, reach)]
    return [(point.at_ms / 1000, point.max) for point in points if point.max is not None]


async def in_its_namespace(db: Database, host: Host, pool: Pool) -> Pool:
    """The pool itself; where it names no namespace, in the only one of the host that it can be meant in."""
    return pool if pool.netns else replace(pool, netns=await _only_namespace(db, host, pool))


async def _only_namespace(db: Database, host: Host, pool: Pool) -> str:
    async with db.reading() as connection:
        bodies = await hot.last_good(connection, [host.id])
    snapshot = _readable(bodies[host.id]) if bodies else None
    names = [namespace.name for namespace in snapshot.namespaces] if snapshot else []
    if len(names) > 1 and snapshot:
        listed = {reading.pool for reading in snapshot.readings}
        names = [name for name in names if replace(pool, netns=name) in listed] or names
    if len(names) > 1:
        raise AmbiguousNamespace(names)
    return names[0] if names else ""


async def _add_chunks(
    db: AsyncConnection, host_id: int, pool: Pool, series: Series, asked: tuple[Trend, Reach]
) -> None:
    made, reach = asked
    subject = (await pools.number(db, host_id, pool) or 0, pool.netns)
    begin_ms, end_ms = made.window.start_ms(0), made.window.to_ms
    aside = await chunks.aside(db, begin_ms, end_ms, host_id=host_id)
    wanted = [(made.tier, begin_ms, end_ms)]
    while wanted:
        tier, from_ms, to_ms = wanted.pop()
        found = await chunks.of_host(db, tier, host_id, from_ms, to_ms)
        owed = await chunks.owed(db, tier, host_id, from_ms, to_ms)
        stale = {at_ms for at_ms in owed if reach.holds(BELOW[tier], at_ms)}
        found = [(at_ms, body) for at_ms, body in found if at_ms not in stale]
        starts = [at_ms for at_ms, _ in found]
        wanted += missing(tier, from_ms, to_ms, starts)
        gone = (one for one in aside if one.from_ms < to_ms and one.to_ms > from_ms)
        made.lost += [(one.from_ms, one.to_ms) for one in gone if is_missed(one, tier, starts, reach)]
        await asyncio.to_thread(_extend, series, found, tier, subject, made)


def _extend(
    series: Series, found: Sequence[tuple[int, bytes]], tier: Tier, subject: tuple[int, str], made: Trend
) -> None:
    readers: list[tuple[int, Reader]] = []
    for at_ms, body in found:
        try:
            reader = Reader(body)
            if made.detail:
                made.detail.read(reader, tier, *subject)
        except CorruptChunk as error:
            _damaged(made, tier, at_ms, error)
        else:
            readers.append((at_ms, reader))
    known = _said(readers, tier, subject, made)
    if known:
        whole = joined(known)
        series.extend(within(whole, made.window) if made.tier is RAW else whole)


def _said(readers: Sequence[tuple[int, Reader]], tier: Tier, subject: tuple[int, str], made: Trend) -> list[Stretch]:
    """What all of them say; where one of them cannot be read, each is asked by itself."""
    try:
        return stretches_of([reader for _, reader in readers], tier, *subject)
    except CorruptChunk as error:
        if len(readers) == 1:
            _damaged(made, tier, readers[0][0], error)
            return []
        return [stretch for one in readers for stretch in _said([one], tier, subject, made)]


def _damaged(made: Trend, tier: Tier, at_ms: int, error: CorruptChunk) -> None:
    log.error("a chunk cannot be read", extra=fields(tier=tier.name, from_ms=at_ms, why=error))
    made.damaged.append((at_ms, at_ms + tier.span_ms))
    made.lost.append((at_ms, at_ms + tier.span_ms))


async def _add_log(db: AsyncConnection, host_id: int, pool: Pool, series: Series, made: Trend) -> None:
    after = (series.window.from_ms, 0)
    while page := await hot.window(db, host_id, series.window, after=after, limit=PAGE):
        await asyncio.to_thread(_add, series, page, pool, made)
        after = (page[-1].taken_ms, page[-1].id)


def _add(series: Series, page: Sequence[Logged], pool: Pool, made: Trend) -> None:
    detail = made.detail
    for logged in page:
        snapshot = _readable(logged)
        if snapshot is None:
            start_ms = RAW.start_of(logged.taken_ms)  # As it will be told once it is settled.
            made.lost.append((start_ms, start_ms + RAW.span_ms))
            continue
        seen = observe(snapshot, pool)
        reading = seen.reading if seen and not seen.is_bound else None
        if reading:
            series.add(logged.taken_ms, reading.held, reading.capacity)
        if detail:
            detail.see(logged.taken_ms, snapshot, pool, reading)


def _readable(logged: Logged) -> Snapshot | None:
    try:
        return wire.decode(logged.body)
    except wire.WireError as error:
        log.error("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))  # noqa: TRY400
        return None
