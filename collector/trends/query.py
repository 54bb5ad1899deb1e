"""One pool's trend, read from the hot log page by page."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from collector.alerts.observe import observe
from collector.fleet.host import Host
from collector.storage import hot
from collector.storage.database import Database
from collector.storage.hot import Logged
from collector.trends.series import Point, Series
from collector.trends.window import Window
from shared import wire
from shared.errors import PortgaugeError
from shared.model import Pool

PAGE = 64


class AmbiguousNamespace(PortgaugeError):
    """The host has several network namespaces, and more or less than one of them lists the pool."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"is needed, one of: {', '.join(sorted(names))}")
        self.names = tuple(names)


async def trend(db: Database, host: Host, pool: Pool, window: Window) -> list[Point]:
    """A point a step over the window. An unlisted pool holds nothing where its namespace is listed completely."""
    series = Series(window)
    after = (window.from_ms, 0)
    while True:
        async with db.reading() as connection:
            page = await hot.window(connection, host.id, window, after=after, limit=PAGE)
        if not page:
            return series.points()
        await asyncio.to_thread(_add, series, page, pool)
        after = (page[-1].taken_ms, page[-1].id)


async def in_its_namespace(db: Database, host: Host, pool: Pool) -> Pool:
    """The pool itself; where it names no namespace, in the only one of the host that it can be meant in."""
    return pool if pool.netns else replace(pool, netns=await _only_namespace(db, host, pool))


async def _only_namespace(db: Database, host: Host, pool: Pool) -> str:
    async with db.reading() as connection:
        bodies = await hot.last_good(connection, [host.id])
    snapshot = wire.decode(bodies[host.id].body) if bodies else None
    names = [namespace.name for namespace in snapshot.namespaces] if snapshot else []
    if len(names) > 1 and snapshot:
        listed = {reading.pool for reading in snapshot.readings}
        names = [name for name in names if replace(pool, netns=name) in listed] or names
    if len(names) > 1:
        raise AmbiguousNamespace(names)
    return names[0] if names else ""


def _add(series: Series, page: Sequence[Logged], pool: Pool) -> None:
    for logged in page:
        seen = observe(wire.decode(logged.body), pool)
        if seen and seen.reading and not seen.is_bound:
            series.add(logged.taken_ms, seen.reading.held, seen.reading.capacity)
