"""The fleet over time."""

from tests.browsing import browser, page_of
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_hosts_are_mapped_by_the_hour(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(270)), a_snapshot(a_reading(30), host="lb2", labels={"role": "core"}))
    collector.clock.turn(3600)
    await collector.compact()
    page = await page_of(collector, path="/history")
    assert '<td class="heat-4">90</td><td class="heat-unknown">?</td></tr>' in page
    assert page.index(">lb1</a>") < page.index(">lb2</a>")
    assert ">lb1</a>" not in await page_of(collector, path="/history?role=core")


async def test_before_anything_is_gathered_all_is_unknown(collector: Collecting) -> None:
    assert "No pool is in use" in await page_of(collector, path="/history")
    await collector.push(a_snapshot(a_reading(270)))
    page = await page_of(collector, path="/history")
    assert page.count('<td class="heat-unknown">?</td>') == 24


async def test_quantiles_are_drawn_for_every_window(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(270)))
    collector.clock.turn(3600)
    await collector.compact()
    async with browser() as person:
        await page_of(collector, person)
        for window in ("15m", "24h", "2y"):
            async with person.get(f"{collector.url}/history/chart.svg?window={window}&size=small") as response:
                assert (response.status, response.content_type) == (200, "image/svg+xml")
                assert "the fullest" in await response.text()
