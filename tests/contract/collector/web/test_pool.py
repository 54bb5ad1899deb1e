"""One pool: sums, chart, history, what to do."""

from dataclasses import replace

from collector.access.token import Scope
from collector.web.links import pool_link
from tests.browsing import browser, page_of
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

HERE = pool_link("lb1", a_pool())
CHART = HERE.replace("/pool?", "/pool/chart.svg?")


async def fill(collector: Collecting) -> None:
    for seq, held in enumerate((100, 200, 255)):
        collector.clock.turn(10)
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock()))
        await collector.evaluate()


async def test_a_pool_shows_its_sums_its_rate_and_what_to_do(collector: Collecting) -> None:
    await fill(collector)
    page = await page_of(collector, path=HERE)
    for shown in ("range", "40000–40299", "capacity", "ESTABLISHED", "− 255", "headroom", "exact", "+7.8 ports/s"):
        assert shown in page
    assert "ESTABLISHED rose from 100 to 255 in 20 s" in page
    assert "one more source address on this host" in page
    assert "<td>hot</td>" in page.split('<h2 id="past-title">')[1]


async def test_a_pool_of_a_silent_host_is_unknown(collector: Collecting) -> None:
    await fill(collector)
    collector.clock.turn(120)
    page = await page_of(collector, path=HERE)
    assert "85 %, unknown now" in page
    assert "unknown: its host does not report" in page
    assert "left of 300 when last seen" in page


async def test_the_chart_is_a_drawing_without_scripts(collector: Collecting) -> None:
    await fill(collector)
    async with browser() as person:
        await page_of(collector, person)
        for theme in ("light", "dark"):
            async with person.get(f"{collector.url}{CHART}&window=15m&theme={theme}") as response:
                assert (response.status, response.content_type) == (200, "image/svg+xml")
                drawing = await response.text()
    assert "capacity" in drawing
    assert "unknown" in drawing
    assert "hot: firing" in drawing
    assert "<script" not in drawing


async def test_the_chart_asks_for_a_session_too(collector: Collecting) -> None:
    async with browser() as person, person.get(f"{collector.url}{CHART}") as response:
        assert response.status == 401


async def test_a_pool_nobody_listed_holds_nothing(collector: Collecting) -> None:
    await collector.push(a_snapshot())
    page = await page_of(collector, path=HERE, scope=Scope.ADMIN)
    assert "<b>300</b> left of 300" in page


async def test_a_setting_that_changed_is_marked(collector: Collecting) -> None:
    for seq, reuse in enumerate((1, 0)):
        collector.clock.turn(10)
        space = replace(a_namespace(), settings={"tcp_tw_reuse": reuse})
        await collector.push(a_snapshot(a_reading(9), seq=seq, taken_at_ms=collector.clock(), namespaces=[space]))
    async with browser() as person:
        await page_of(collector, person)
        async with person.get(f"{collector.url}{CHART}&window=15m&size=small") as response:
            assert "tcp_tw_reuse was 1, is 0" in await response.text()


async def test_a_window_leads_to_those_beside_it(collector: Collecting) -> None:
    await fill(collector)
    page = await page_of(collector, path=f"{HERE}&from=2026-11-22T10:00:00Z&to=2026-11-22T11:00:00Z")
    assert "from=2026-11-22T10%3A15%3A00.000Z&amp;to=2026-11-22T10%3A45%3A00.000Z" in page
    assert ">later →</a>" in page
