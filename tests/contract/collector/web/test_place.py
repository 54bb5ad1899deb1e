"""A host, and a backend."""

from collector.web.place import pressing
from tests.browsing import page_of
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_host_shows_what_it_lends_and_holds(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255), labels={"role": "edge", "site": "fra"}))
    await collector.evaluate()
    page = await page_of(collector, path="/host?host=lb1")
    for shown in ("edge", "fra", "reporting", "40000–40299", "255", "firing", "What a pool of host can lend"):
        assert shown in page


async def test_a_silent_host_says_so(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)))
    collector.clock.turn(120)
    page = await page_of(collector, path="/host?host=lb1")
    assert "unknown: nothing received for 2 min" in page
    assert 'class="hot"' not in page


async def test_a_backend_shows_who_presses_on_it(collector: Collecting) -> None:
    await collector.push(
        a_snapshot(a_reading(100), host="a"),
        a_snapshot(a_reading(200), a_reading(9, pool=a_pool(9009)), host="b"),
    )
    page = await page_of(collector, path="/backend?peer=127.0.0.1:9001")
    assert "2 hosts hold 300 ports towards it" in page
    assert page.index(">b</a>") < page.index(">a</a>")
    assert "9009" not in page


async def test_who_is_silent_does_not_press_but_is_not_forgotten(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(100), host="a"))
    collector.clock.turn(60)
    await collector.push(a_snapshot(a_reading(7), host="b", taken_at_ms=NOON_MS + 60_000))
    page = await page_of(collector, path="/backend?peer=127.0.0.1:9001")
    assert "1 hosts hold 7 ports towards it; of 1 more nobody knows" in page
    assert pressing([]) == {"hosts": 0, "held": 0, "unknown": 0}
