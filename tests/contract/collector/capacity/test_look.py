"""Weeks of history, read back as pools with their growth and the ground they stand on, on both databases."""

from dataclasses import replace

from collector.alerts.where import Where
from collector.capacity.growth import Tendency
from collector.capacity.look import Found, look
from collector.history.tiers import DAY_MS
from shared.model import Snapshot
from shared.wire.claims import claims_on
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

DAYS = 35


def a_day(day: int, host: str, held: int, *, beside: int = 0) -> Snapshot:
    """A host that holds so many ports at noon, and the same towards backends beside."""
    pools = [a_pool(9001, peer=f"127.0.0.{number + 1}") for number in range(beside + 1)]
    namespace = replace(a_namespace(), claims=claims_on([22, 3_306], NOON_MS) if host == "lb1" else None)
    readings = [a_reading(held if pool.peer[-1] == 1 else 5, pool=pool) for pool in pools]
    return a_snapshot(*readings, host=host, seq=day, taken_at_ms=NOON_MS + day * DAY_MS, namespaces=[namespace])


async def lived(collector: Collecting, days: int = DAYS) -> None:
    """lb1 grows by three ports a day beside two other backends; lb2 stays where it is."""
    for day in range(days):
        collector.clock.now_ms = NOON_MS + day * DAY_MS
        await collector.push(a_day(day, "lb1", 100 + 3 * day, beside=2), a_day(day, "lb2", 40))
    collector.clock.turn(DAY_MS / 1000)
    collector.compaction.keep_raw_ms = DAYS * DAY_MS  # So that one round does for all days.
    await collector.compact()


async def looked(collector: Collecting, where: Where | None = None) -> Found:
    services = collector.services
    return await look(collector.db, where or Where(), services.rules, services.reach(), 20)


async def test_a_pool_that_grew_for_weeks_is_found_with_its_growth(collector: Collecting) -> None:
    await lived(collector)

    found = await looked(collector)

    by_host = {one.host: one for one in found.standings if one.pool.peer[-1] == 1}
    growing = by_host["lb1"]
    assert (growing.growth.trend, growing.growth.per_day) == (Tendency.GROWING, 3)
    assert growing.growth.peak == 100 + 3 * (DAYS - 1)
    assert (growing.capacity, growing.page_share) == (300, 0.85)
    assert (growing.backends, growing.sources, growing.hosts) == (3, 1, 2)
    assert by_host["lb2"].growth.trend is Tendency.STEADY


async def test_a_short_history_says_nothing(collector: Collecting) -> None:
    await lived(collector, days=10)

    assert {one.growth.trend for one in (await looked(collector)).standings} == {Tendency.UNKNOWN}


async def test_hosts_and_backends_are_chosen(collector: Collecting) -> None:
    await lived(collector, days=3)

    one_host = await looked(collector, Where(host=("lb2",)))
    one_backend = await looked(collector, Where(peer=("127.0.0.2:9001",)))

    assert {one.host for one in one_host.standings} == {one.host for one in one_host.grounds} == {"lb2"}
    assert {one.pool.peer_ip for one in one_backend.standings} == {"127.0.0.2"}


async def test_ground_is_what_each_host_told_last_and_what_nobody_told_stays_unknown(collector: Collecting) -> None:
    await lived(collector, days=3)

    grounds = {one.host: one for one in (await looked(collector)).grounds}

    assert grounds["lb1"].claims == claims_on([22, 3_306], NOON_MS)
    assert grounds["lb2"].claims is None


async def test_a_collector_that_knows_nobody_plans_nothing(collector: Collecting) -> None:
    found = await looked(collector)

    assert (found.standings, found.grounds) == ([], [])
