"""The fleet and its hosts, as a browser without scripts sees them."""

from tests.browsing import browser, page_of
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_it_shows_hosts_pools_and_alerts(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    page = await page_of(collector)
    for shown in ("lb1", "edge", "127.0.0.1 -&gt; 127.0.0.1:9001", "255", "300", "45", "ESTABLISHED 255", "firing"):
        assert shown in page


async def test_what_is_unknown_is_visibly_unknown(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    await collector.evaluate()
    collector.clock.turn(60)
    await collector.evaluate()
    page = await page_of(collector)
    assert "unknown: nothing received for 1 min" in page
    assert "85 %, unknown now" in page
    assert "(was firing)" in page
    assert 'class="hot"' not in page


async def test_what_hosts_say_is_text_never_markup(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(), labels={"role": "<script>alert(1)</script>"}))
    await collector.push(a_snapshot(host="lb2", failure="<img src=x>"))
    for path in ("/", "/hosts", "/host?host=lb1", "/host?host=lb2"):
        page = await page_of(collector, path=path)
        assert "<script>" not in page
        assert "<img" not in page
    assert "&lt;script&gt;" in await page_of(collector)


async def test_an_empty_collector_says_what_to_do(collector: Collecting) -> None:
    assert "portgauge-agent run --collector" in await page_of(collector)


async def test_pools_are_filtered_by_role_host_peer_and_kind(collector: Collecting) -> None:
    await collector.push(
        a_snapshot(a_reading(10), a_reading(20, pool=a_pool(9002))),
        a_snapshot(a_reading(30, pool=a_pool(9003)), host="lb2", labels={"role": "core"}),
    )
    for query, shown in {
        "role=core": {"9003"},
        "host=lb1": {"9001", "9002"},
        "peer=127.0.0.1:9002": {"9002"},
        "kind=udp": set(),
        "role=&host=&peer=&kind=": {"9001", "9002", "9003"},
    }.items():
        page = await page_of(collector, path=f"/?{query}")
        assert {port for port in ("9001", "9002", "9003") if f"127.0.0.1:{port}</a>" in page} == shown, query


async def test_pools_are_sorted_by_what_is_asked(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(10, 20), a_reading(100, pool=a_pool(9002))))
    by_occupancy = await page_of(collector)
    by_held = await page_of(collector, path="/?sort=held")
    assert by_occupancy.index("127.0.0.1:9001</a>") < by_occupancy.index("127.0.0.1:9002</a>")
    assert by_held.index("127.0.0.1:9001</a>") > by_held.index("127.0.0.1:9002</a>")


async def test_many_pools_are_leafed_through(collector: Collecting) -> None:
    await collector.push(a_snapshot(*(a_reading(10, pool=a_pool(9000 + number)) for number in range(60))))
    async with browser() as person:
        first, second = await page_of(collector, person), await page_of(collector, person, "/?page=2")
    assert (first.count("<progress"), second.count("<progress")) == (50, 10)
    assert "page 1 of 2 (60)" in first


async def test_hosts_that_do_not_report_come_first(collector: Collecting) -> None:
    await collector.push(a_snapshot(host="a"), a_snapshot(host="b", failure="no netlink"))
    page = await page_of(collector, path="/hosts")
    assert page.index(">b</a>") < page.index(">a</a>")
    assert ">b</a>" not in await page_of(collector, path="/hosts?state=reporting")
