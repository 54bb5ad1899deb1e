"""A look at the fleet that many share."""

import asyncio

from collector.fleet.looks import LOOKING, Look, Looks
from collector.fleet.pools import Wanted
from collector.storage.database import database
from collector.storage.location import Location
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_quick_look_is_taken_anew_each_time(collector: Collecting) -> None:
    looks = Looks(slow_s=3600, patience_s=3600)
    assert not (await looks.hottest(collector.db, Wanted(), collector.clock())).pools
    await collector.push(a_snapshot(a_reading()))
    assert len((await looks.hottest(collector.db, Wanted(), collector.clock())).pools) == 1


async def test_a_slow_look_is_shared_until_it_is_old(collector: Collecting) -> None:
    looks = Looks(slow_s=0, patience_s=3600)
    first = await looks.hottest(collector.db, Wanted(), collector.clock())
    await collector.push(a_snapshot(a_reading()))
    assert await looks.hottest(collector.db, Wanted(), collector.clock()) is first
    collector.clock.turn(3600)
    assert (await looks.hottest(collector.db, Wanted(), collector.clock())).pools


def test_what_took_a_second_does_for_ten_and_stands_in_for_thirty() -> None:
    look = Look((), 0, 1.0)
    assert look.is_fresh(9_999, 0.25)
    assert not look.is_fresh(10_000, 0.25)
    assert look.will_do(29_999, 0.25)
    assert not look.will_do(30_000, 0.25)


async def test_who_would_wait_long_is_told_so_at_once(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()))
    looks = Looks(patience_s=0)
    look = await looks.hottest(collector.db, Wanted(), collector.clock())
    assert (look.pools, look.is_done) == ((), False)
    await looks.close()


async def test_a_look_under_way_ends_before_the_database_does(location: Location) -> None:
    """A connection that comes back after the end is closed by nobody."""
    async with database(location) as db:
        await db.ping()
        looks = Looks(patience_s=0)
        await looks.hottest(db, Wanted(), 0)
        under_way = [task for task in asyncio.all_tasks() if task.get_name() == LOOKING]
        await looks.close()
        assert under_way
        assert all(look.cancelled() for look in under_way)


async def test_hosts_are_mustered_anew_only_where_that_takes_long(collector: Collecting) -> None:
    """Every view asks for them, and a page of ten thousand hosts must not count them twice."""
    quick, slow = Looks(slow_s=3600), Looks(slow_s=0)
    for looks in (quick, slow):
        assert (await looks.muster(collector.db, collector.clock())).hosts == []
    await collector.push(a_snapshot())
    seen = [len((await looks.muster(collector.db, collector.clock())).hosts) for looks in (quick, slow)]
    assert seen == [1, 0]


async def test_a_scrape_that_would_wait_long_is_told_so(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()))
    looks = Looks(scrape_patience_s=0)
    look = await looks.census(collector.db, 5, collector.clock())
    assert (look.pools.fullest, look.is_done) == ((), False)
    await looks.close()


async def test_a_census_and_the_hottest_are_looks_of_their_own(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()))
    looks = Looks(slow_s=0)
    wanted, census = Wanted(limit=1), await looks.census(collector.db, 1, collector.clock())
    [hottest] = (await looks.hottest(collector.db, wanted, collector.clock())).pools
    assert list(census.pools.fullest) == [hottest]
    assert await looks.census(collector.db, 1, collector.clock()) is census
