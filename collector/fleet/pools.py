"""The latest readings over all hosts, the hottest first."""

import asyncio
import heapq
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from collector.fleet.host import Host, Presence
from collector.storage import hosts, hot
from collector.storage.database import Database
from collector.storage.hot import Logged
from shared import wire
from shared.logs import fields
from shared.model import Evidence, Kind, Pool, Reading, Snapshot

PAGE = 32
"""Hosts decoded at a time: memory stays flat however large the fleet."""
log = logging.getLogger(__name__)


Hotness = tuple[float, int, str, Pool]
"""What pools are sorted by, the hottest first: (-occupancy, headroom_min, host, pool)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pools are asked for; None does not narrow."""

    host: str | None = None
    role: str | None = None
    kind: Kind | None = None
    peer: bytes | None = None
    peer_port: int | None = None
    min_occupancy: float = 0.0
    limit: int = 100
    after: Hotness | None = None
    """Those that come after this one in the order asked for."""
    by_name: bool = False
    """By host and pool, whatever they hold: an order that stays while readings change."""

    def asks(self, host: Host) -> bool:
        """Whether this host's readings are asked for."""
        return self.host in {None, host.name} and self.role in {None, host.role}

    def accepts(self, reading: Reading) -> bool:
        """Whether this reading is asked for."""
        return (
            reading.occupancy >= self.min_occupancy
            and self.kind in {None, reading.pool.kind}
            and self.peer in {None, reading.pool.peer}
            and self.peer_port in {None, reading.pool.peer_port}
        )


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool as its host last reported it; not `is_current` where the host is silent or blind since."""

    host: str
    role: str | None
    reading: Reading
    taken_at_ms: int
    is_current: bool
    evidence: tuple[Evidence, ...] = ()
    """What applications logged of it since the report before."""


async def hottest(db: Database, wanted: Wanted, now_ms: int, everyone: Sequence[Host] | None = None) -> list[PoolNow]:
    """The wanted pools with the highest occupancy, fewest ports left first among equals.

    `everyone`: all hosts, where somebody has just asked for them.
    """
    if everyone is None:
        async with db.reading() as connection:
            everyone = await hosts.all_hosts(connection)
    asked = [host for host in everyone if wanted.asks(host)]
    if wanted.by_name:
        asked = sorted((host for host in asked if not wanted.after or host.name >= wanted.after[2]), key=_name)
    best: list[PoolNow] = []
    for start in range(0, len(asked), PAGE):
        if wanted.by_name and len(best) >= wanted.limit:
            break  # Hosts to come are after all that were found.
        page = asked[start : start + PAGE]
        best = await asyncio.to_thread(_merge, best, page, await bodies_of(db, page), wanted, now_ms)
    return best


async def bodies_of(db: Database, page: Sequence[Host]) -> dict[int, Logged]:
    """Of each of these hosts the newest snapshot that is not a failure, by host id."""
    async with db.reading() as connection:
        return await hot.last_good(connection, [host.id for host in page])


def _merge(
    best: Sequence[PoolNow], page: Sequence[Host], bodies: Mapping[int, Logged], wanted: Wanted, now_ms: int
) -> list[PoolNow]:
    found = (item for host in page if host.id in bodies for item in _pools(host, bodies[host.id], wanted, now_ms))
    key = _place if wanted.by_name else hotness
    if wanted.after:
        after = wanted.after[2:] if wanted.by_name else wanted.after
        found = (item for item in found if key(item) > after)
    return heapq.nsmallest(wanted.limit, chain(best, found), key=key)


def _pools(host: Host, logged: Logged, wanted: Wanted, now_ms: int) -> Iterator[PoolNow]:
    is_current = host.presence(now_ms) is Presence.REPORTING
    snapshot = snapshot_of(logged)
    if snapshot is None:
        return
    for reading in snapshot.readings:
        if wanted.accepts(reading):
            said = tuple(one for one in snapshot.evidence if one.pool == reading.pool)
            yield PoolNow(host.name, host.role, reading, logged.taken_ms, is_current, said)


def snapshot_of(logged: Logged) -> Snapshot | None:
    """What was logged; None where this version cannot read it."""
    try:
        return wire.decode(logged.body)
    except wire.WireError as error:
        # Accepted once, so a newer version wrote it; the evaluation logs it too.
        log.warning("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))
        return None


def hotness(item: PoolNow) -> Hotness:
    """What it is sorted by."""
    return (-item.reading.occupancy, item.reading.headroom_min, item.host, item.reading.pool)


def _place(item: PoolNow) -> tuple[str, Pool]:
    return (item.host, item.reading.pool)


def _name(host: Host) -> str:
    return host.name
