"""`make screenshots`: the page with a fleet of stories, as a browser shows it, into docs/images/."""

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from collector.storage.database import database
from collector.storage.location import locate
from collector.storage.schema import migrate
from collector.web.links import pool_link
from shared.ports import PortRange
from shared.tcp import State
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot
from tests.chromium import chromium, why_none
from tests.collecting import Collecting, collecting

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CAPACITY = 28_200
POOL = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")
STEPS = 80
TURNED_OFF = 18
"""At this step somebody sets tcp_tw_reuse to 0."""


async def tell(fleet: Collecting) -> None:
    """Thirteen minutes: one backend slows down, and one host of its role is about to run out."""
    space = a_namespace(ports=PortRange(32_768, 32_767 + CAPACITY))
    before, spaces = ([replace(space, settings={"tcp_tw_reuse": value})] for value in (1, 0))
    await fleet.push(a_snapshot(host="lb-eu-19", namespaces=spaces))
    for step in range(STEPS):
        fleet.clock.turn(10)
        for number, host in enumerate(("lb-eu-17", "lb-eu-18", "lb-us-04")):
            held = min(CAPACITY - 900, 12_000 + max(0, step - 20) * 230 - number * 4_000 + step % 7 * 40)
            waiting = held // 10
            closing = held // 25
            states = {
                State.ESTABLISHED: held - waiting - closing,
                State.TIME_WAIT: waiting,
                State.CLOSE_WAIT: closing,
            }
            calm = a_reading(8_120, CAPACITY, pool=a_pool(8080, local="10.0.3.7", peer="10.0.9.22"))
            readings = a_reading(held, CAPACITY, pool=POOL, states=states), calm
            known: dict[str, Any] = {
                "taken_at_ms": fleet.clock(),
                "namespaces": before if step < TURNED_OFF else spaces,
            }
            await fleet.push(a_snapshot(*readings, host=host, seq=step, **known))
        await fleet.evaluate()


async def tell_yesterday(fleet: Collecting) -> None:
    """A day of ordinary traffic, busier by day than by night."""
    space = replace(a_namespace(ports=PortRange(32_768, 32_767 + CAPACITY)), settings={"tcp_tw_reuse": 1})
    fleet.clock.turn(-24 * 3600)
    for step in range(24 * 6):
        hour = step / 6
        for number, host in enumerate(("lb-eu-17", "lb-eu-18", "lb-us-04", "lb-eu-19")):
            held = round(7_000 + 5_500 * abs(12 - (hour + 6 * number) % 24) / 12) + number * 300
            calm = a_reading(held * 2 // 3, CAPACITY, pool=a_pool(8080, local="10.0.3.7", peer="10.0.9.22"))
            readings = a_reading(held, CAPACITY, pool=POOL), calm
            known: dict[str, Any] = {"taken_at_ms": fleet.clock(), "namespaces": [space]}
            await fleet.push(a_snapshot(*readings, host=host, boot_id="yesterday", seq=step, **known))
        fleet.clock.turn(600)
    await fleet.compact()


async def shoot(browser: Browser, fleet: Collecting) -> None:
    """The views that README shows."""
    views = {"fleet": "/", "history": "/history?window=24h", "pool": pool_link("lb-eu-17", POOL) + "&window=15m"}
    for name, look, width in (
        ("fleet", "dark", 1200),
        ("history", "dark", 1200),
        ("pool", "light", 1200),
        ("pool", "phone", 390),
    ):
        path = views[name]
        context = await browser.new_context(
            color_scheme="dark" if look == "dark" else "light",
            viewport={"width": width, "height": 900},
            timezone_id="UTC",
            locale="en-GB",
        )
        page = await context.new_page()
        mark = "&" if "?" in path else "?"
        await page.goto(f"{fleet.url}{path}{mark}login={fleet.tokens['read']}")
        await page.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
        await page.screenshot(path=IMAGES / f"{name}-{look}.png")
        await context.close()


async def main() -> None:
    """Tell the story, look at it."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        location = locate(str(Path(place) / "history.db"))
        await asyncio.to_thread(asyncio.run, migrate(location))
        async with database(location) as db, collecting(db) as fleet, chromium() as browser:
            await tell_yesterday(fleet)
            await tell(fleet)
            await shoot(browser, fleet)


if __name__ == "__main__":
    if reason := why_none():
        sys.exit(reason)
    asyncio.run(main())
