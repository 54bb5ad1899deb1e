"""The last 24 hours of the pools and hosts that a view lists, read from the peaks of all hosts."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from collector.fleet.host import PoolNow
from collector.history.tiers import HOUR_MS
from collector.services import Services
from collector.storage import fleet_history, pools
from collector.trends.course import Course, by_host, courses
from shared.model import Pool

MAP_HOURS = 24


async def pool_courses(
    services: Services, items: Sequence[PoolNow], ids: Mapping[str, int], now_ms: int
) -> dict[tuple[str, Pool], Course]:
    """Of each of these pools its last 24 hours; what it holds now is the last. `ids` of hosts, by name."""
    async with services.db.reading() as connection:
        known = await pools.of_hosts(connection, {ids[item.host] for item in items if item.host in ids})
    listed = {(item.host, item.reading.pool): item for item in items}
    numbers = {
        (item.host, item.reading.pool): number
        for item in items
        if (number := known.get(ids.get(item.host, 0), {}).get(item.reading.pool)) is not None
    }
    found = await _courses(services, set(numbers.values()), hours_until(now_ms))
    return {key: _with_now(found.get(numbers.get(key, 0), [None] * MAP_HOURS), item) for key, item in listed.items()}


def _with_now(course: Course, item: PoolNow) -> Course:
    """The hour under way is gathered late: what is held now is known before."""
    if not item.is_current:
        return course
    return [*course[:-1], max(course[-1] or 0.0, item.reading.occupancy)]


def hours_until(now_ms: int) -> list[int]:
    """When the last 24 hours began, the one under way among them."""
    last = now_ms - now_ms % HOUR_MS
    return [last - HOUR_MS * back for back in reversed(range(MAP_HOURS))]


async def host_courses(services: Services, ids: Mapping[str, int], hours: Sequence[int]) -> dict[str, Course]:
    """Of each of these hosts (name to id) its fullest pool in each of these hours."""
    async with services.db.reading() as connection:
        known = await pools.of_hosts(connection, set(ids.values()))
    numbers = {name: set(known[host_id].values()) for name, host_id in ids.items()}
    found = await _courses(services, {one for some in numbers.values() for one in some}, hours)
    nothing: Course = [None] * len(hours)
    return {host: course or nothing for host, course in by_host(found, numbers).items()}


async def _courses(services: Services, numbers: Collection[int], hours: Sequence[int]) -> dict[int, Course]:
    async with services.db.reading() as connection:
        blocks = await fleet_history.peaks(connection, hours[0], hours[-1] + 1)
    return await asyncio.to_thread(courses, blocks, numbers, hours)
