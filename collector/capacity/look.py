"""The fleet's pools with their growth, and the ground they stand on, read from history and the latest snapshots."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.alerts.conditions import OCCUPANCY, Scope
from collector.alerts.rules import PAGE, Rule
from collector.alerts.where import Where
from collector.capacity.growth import LONG_DAYS, RECENT_DAYS, growth
from collector.capacity.needs import Standing
from collector.capacity.widen import Ground
from collector.fleet.host import Host
from collector.history.tiers import DAY_MS, Reach
from collector.rollout.step import place_of
from collector.storage import hosts, hot, pools
from collector.storage.database import Database
from collector.storage.hot import Logged
from collector.trends import rank
from collector.trends.query import trend
from collector.trends.window import Window
from shared import wire
from shared.logs import fields
from shared.model import Kind, Namespace, Pool, Snapshot

PAGE_OF_HOSTS = 64
"""Hosts decoded at a time: memory stays flat however large the fleet."""
TOP_DAYS = 7
log = logging.getLogger(__name__)

Candidate = tuple[str, Pool]
"""(host, pool)."""


@dataclass(slots=True)
class Found:
    """What was read. `left_out`: hosts that never gave a snapshot that can be read.

    `passed_over`: pools seen in the last week that are neither among the fullest nor among the fastest climbers.
    """

    standings: list[Standing] = field(default_factory=list)
    grounds: list[Ground] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    passed_over: int = 0
    last_day_ms: int = 0
    """When the last whole day (UTC) began."""


@dataclass(slots=True)
class _Counts:
    """What shares a load, counted from the latest snapshots."""

    capacity: dict[Candidate, int] = field(default_factory=dict)
    backends: Counter[tuple[str, str, bytes, int]] = field(default_factory=Counter)
    sources: Counter[tuple[str, str, bytes, int]] = field(default_factory=Counter)
    hosts: Counter[tuple[str | None, Kind, bytes, int]] = field(default_factory=Counter)
    spaces: dict[tuple[str, str], Namespace] = field(default_factory=dict)


async def look(db: Database, where: Where, rules: Sequence[Rule], reach: Reach, limit: int) -> Found:
    """The `limit` fullest pools of the last week and the `limit` fastest climbers of the last four, of hosts asked for.

    Growth is by whole days, up to the last midnight (UTC).
    """
    today_ms = reach.now_ms // DAY_MS * DAY_MS
    found = Found(last_day_ms=today_ms - DAY_MS)
    async with db.reading() as connection:
        everyone = [one for one in await hosts.all_hosts(connection) if where.accepts_place(place_of(one))]
    wanted, found.passed_over = await _candidates(db, where, everyone, reach.now_ms, limit)
    counts = await _count(db, everyone, wanted, found)
    by_name = {one.name: one for one in everyone}
    window = Window(max(0, today_ms - LONG_DAYS * DAY_MS), max(1, today_ms), DAY_MS)
    for name, pool in wanted:
        capacity = _capacity(counts, (name, pool))
        if capacity is None:
            continue  # Its namespace is gone, and its load with it.
        points = (await trend(db, by_name[name], pool, window, reach)).points
        days = await asyncio.to_thread(growth, [point.max for point in points])
        host = by_name[name]
        found.standings.append(
            Standing(
                host=name,
                role=host.role,
                pool=pool,
                capacity=capacity,
                growth=days,
                page_share=page_share(rules, host, pool),
                backends=max(1, counts.backends[name, pool.netns, pool.local, pool.peer_port]),
                sources=max(1, counts.sources[name, pool.netns, pool.peer, pool.peer_port]),
                hosts=max(1, counts.hosts[host.role, pool.kind, pool.peer, pool.peer_port]),
            )
        )
    return found


def page_share(rules: Iterable[Rule], host: Host, pool: Pool) -> float | None:
    """The lowest occupancy from which on a rule pages for this pool; None where none does."""
    levels = [
        rule.raise_at
        for rule in rules
        if rule.severity == PAGE
        and rule.condition == OCCUPANCY.name
        and rule.scope is Scope.POOL
        and rule.raise_at is not None
        and rule.where.accepts_place(place_of(host))
        and rule.where.accepts_pool(pool)
    ]
    return min(levels, default=None)


async def _candidates(
    db: Database, where: Where, everyone: Sequence[Host], now_ms: int, limit: int
) -> tuple[dict[Candidate, None], int]:
    """Whom to look at, and how many others there are."""
    among = None if where.is_empty else await _numbers(db, where, everyone)
    fullest, seen = await rank.top_and_all(db, now_ms - TOP_DAYS * DAY_MS, now_ms, limit, among)
    climbing = await rank.growth(db, now_ms - RECENT_DAYS * DAY_MS, now_ms, limit, among)
    chosen = [*fullest, *climbing]
    others = np.setdiff1d(seen, [one.found.number for one in chosen])
    return dict.fromkeys((one.host, one.pool) for one in chosen), len(others)


async def _numbers(db: Database, where: Where, everyone: Sequence[Host]) -> set[int]:
    numbers: set[int] = set()
    for page in _pages(everyone):
        async with db.reading() as connection:
            known = await pools.of_hosts(connection, [one.id for one in page])
        numbers.update(number for found in known.values() for pool, number in found.items() if where.accepts_pool(pool))
    return numbers


async def _count(db: Database, everyone: Sequence[Host], wanted: Iterable[Candidate], found: Found) -> _Counts:
    counts, asked = _Counts(), _Asked(wanted)
    for page in _pages(everyone):
        async with db.reading() as connection:
            bodies = await hot.last_good(connection, [host.id for host in page])
        await asyncio.to_thread(_read, page, bodies, asked, counts, found)
    return counts


class _Asked:
    """The candidates by what their load is shared with."""

    def __init__(self, wanted: Iterable[Candidate]) -> None:
        self.hosts: set[str] = set()
        self.peers: set[tuple[Kind, bytes, int]] = set()
        for host, pool in wanted:
            self.hosts.add(host)
            self.peers.add((pool.kind, pool.peer, pool.peer_port))


def _read(page: Sequence[Host], bodies: dict[int, Logged], asked: _Asked, counts: _Counts, found: Found) -> None:
    for host in page:
        try:
            snapshot = wire.decode(bodies[host.id].body) if host.id in bodies else None
        except wire.WireError as error:
            log.warning("a stored snapshot cannot be read", extra=fields(host=host.name, why=error))
            snapshot = None
        if snapshot is None:
            found.left_out.append(host.name)
            continue
        found.grounds += [ground_of(host, one) for one in snapshot.namespaces]
        _add(host, snapshot, asked, counts)


def _add(host: Host, snapshot: Snapshot, asked: _Asked, counts: _Counts) -> None:
    pools_here = [one.pool for one in snapshot.readings]
    counts.hosts.update(
        {
            (host.role, one.kind, one.peer, one.peer_port)
            for one in pools_here
            if (one.kind, one.peer, one.peer_port) in asked.peers
        }
    )
    if host.name not in asked.hosts:
        return
    counts.spaces.update({(host.name, one.name): one for one in snapshot.namespaces})
    counts.capacity.update({(host.name, one.pool): one.capacity for one in snapshot.readings})
    connects = [one for one in pools_here if one.kind is Kind.CONNECT]
    counts.backends.update((host.name, one.netns, one.local, one.peer_port) for one in connects)
    sharing = [one for one in pools_here if one.kind is not Kind.UDP]
    counts.sources.update((host.name, one.netns, one.peer, one.peer_port) for one in sharing)


def ground_of(host: Host, namespace: Namespace) -> Ground:
    """The namespace as ground to widen."""
    return Ground(
        host=host.name,
        role=host.role,
        netns=namespace.name,
        port_range=namespace.port_range,
        lends=namespace.capacity,
        claims=namespace.claims,
        unprivileged=namespace.settings.get("ip_unprivileged_port_start", 0),
    )


def _capacity(counts: _Counts, candidate: Candidate) -> int | None:
    host, pool = candidate
    listed = counts.capacity.get(candidate)
    space = counts.spaces.get((host, pool.netns))
    return listed if listed is not None else space.capacity if space else None


def _pages(everyone: Sequence[Host]) -> Iterable[Sequence[Host]]:
    return (everyone[start : start + PAGE_OF_HOSTS] for start in range(0, len(everyone), PAGE_OF_HOSTS))
