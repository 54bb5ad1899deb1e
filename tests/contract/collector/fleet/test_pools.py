"""The latest readings over all hosts."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from collector.fleet import pools
from collector.fleet.pools import Wanted, hotness, hottest
from collector.storage import hosts
from collector.storage.tables import hot
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

if TYPE_CHECKING:
    from collector.fleet.host import PoolNow


async def test_a_fleet_larger_than_a_page_is_one_list(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "PAGE", 4)
    count = 9
    await collector.push(*(a_snapshot(a_reading(number), host=f"lb{number}") for number in range(count)))
    found = await hottest(collector.db, Wanted(limit=3), collector.clock())
    assert [item.reading.held for item in found] == [count - 1, count - 2, count - 3]


async def test_pools_that_are_equal_are_all_found_page_by_page(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot win a place is never made: among equals that must not be one that would."""
    monkeypatch.setattr(pools, "PAGE", 2)
    helds = {"lb1": (9, 9), "lb10": (9, 30), "lb2": (9, 1), "lb20": (30, 9), "lb3": (0, 9), "LB4": (9, 9)}
    for host, counts in helds.items():
        readings = [a_reading(held, pool=a_pool(9001 + row)) for row, held in enumerate(counts)]
        await collector.push(a_snapshot(*readings, a_reading(3, 100, pool=a_pool(9_500)), host=host))
    everything = await hottest(collector.db, Wanted(), collector.clock())
    assert [hotness(item) for item in everything] == sorted(map(hotness, everything))
    assert len(everything) == 3 * len(helds)

    found: list[PoolNow] = []
    while page := await hottest(
        collector.db, Wanted(limit=4, after=hotness(found[-1]) if found else None), collector.clock()
    ):
        found += page

    assert found == everything


async def test_among_equals_the_one_with_fewer_ports_left_comes_first(collector: Collecting) -> None:
    small, large = a_reading(50, 100, pool=a_pool(9001)), a_reading(500, 1_000, pool=a_pool(9002))
    await collector.push(a_snapshot(large, small))
    found = await hottest(collector.db, Wanted(), collector.clock())
    assert [item.reading.capacity for item in found] == [100, 1_000]


async def test_a_body_this_version_cannot_read_hides_its_host_and_no_other(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()), a_snapshot(a_reading(), host="lb2"))
    async with collector.db.writing() as connection:
        lb1 = await hosts.by_name(connection, "lb1")
        assert lb1
        await connection.execute(update(hot).where(hot.c.id == lb1.latest_hot_id).values(body=b"\x80"))
    found = await hottest(collector.db, Wanted(), collector.clock())
    assert [item.host for item in found] == ["lb2"]
