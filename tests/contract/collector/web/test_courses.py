"""The last 24 hours beside each pool."""

from tests.browsing import page_of
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_pool_shows_its_day_and_what_it_holds_now(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(150)))
    collector.clock.turn(3600)
    await collector.compact()
    await collector.push(a_snapshot(a_reading(240), seq=2, taken_at_ms=collector.clock()))
    for path in ("/", "/backend?peer=127.0.0.1:9001"):
        page = await page_of(collector, path=path)
        assert 'aria-label="between 50 and 80 % in 24 h"' in page
        assert page.count("<polyline") == 1


async def test_of_a_silent_host_nothing_is_known_now(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(150, pool=a_pool(9002))))
    collector.clock.turn(120)
    assert 'aria-label="unknown"' in await page_of(collector)
