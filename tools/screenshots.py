"""`make screenshots`: the page with a fleet of stories, as a browser shows it, into docs/images/."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from collector.alerts.builtin import BUILT_IN
from collector.alerts.where import Place
from collector.evaluation import Evaluator
from collector.forecast.foresight import Foresight
from collector.history.tiers import Keep
from collector.investigation import Investigation
from collector.metrics import Metrics
from collector.recollection import Recollection
from collector.rollout.plan import Plan, revision_for
from collector.rollout.steward import Steward
from collector.storage import rollouts
from collector.storage.database import database
from collector.storage.location import locate
from collector.storage.schema import migrate
from collector.web.links import pool_link
from shared.model import AgentState
from shared.ports import PortRange
from shared.tcp import State
from shared.tuning import Tuning
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot
from tests.chromium import chromium, why_none
from tests.collecting import Collecting, collecting

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CAPACITY = 28_200
POOL = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")
Picture = tuple[str, str, tuple[int, int]]
PICTURES: dict[str, Picture] = {
    "fleet-dark": ("/", "dark", (1200, 1290)),
    "history-dark": ("/history?window=24h", "dark", (1200, 900)),
    "pool-light": (pool_link("lb-eu-17", POOL) + "&window=15m", "light", (1200, 1430)),
    "pool-phone": (pool_link("lb-eu-17", POOL) + "&window=15m", "light", (390, 900)),
}
PINNED, OLD = "lb-eu-01", 8
"""The canary whose own file pins a key; the number of a host that was not upgraded."""
STAGED: dict[str, Any] = {"canaries": (PINNED,), "steps": (25, 100), "bake_s": 30.0}
STEPS = 80
OWNER = "haproxy.service, pid 1312"
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
            readings = replace(a_reading(held, CAPACITY, pool=POOL, states=states), owner=OWNER), calm
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


async def tell_rollouts(fleet: Collecting) -> None:
    """One revision reaches everybody; the next one halts, as a canary's own file pins what it sets."""
    sooner = Plan(author="ops", reason="see bursts sooner, CHG-4711", settings=Tuning(interval_s=5.0), **STAGED)
    thrifty = Plan(author="ops", reason="spare CPU, CHG-4713", settings=Tuning(cpu_share=0.005), **STAGED)
    for plan, failing in ((sooner, ""), (thrifty, PINNED)):
        async with fleet.db.writing() as connection:
            revision = await rollouts.add(connection, plan, fleet.clock())
        await _follow(fleet, revision, failing)


async def _follow(fleet: Collecting, revision: int, failing: str) -> None:
    """Three minutes in which hosts take what reached them; `failing` does not."""
    steward = Steward(fleet.db, clock=fleet.clock)
    for seq in range(18):
        fleet.clock.turn(10)
        async with fleet.db.reading() as connection:
            known = await rollouts.newest(connection)
        for number in range(12):
            host = f"lb-eu-{number + 1:02}"
            reached = revision_for(known, Place(host=host, role="edge", labels={"role": "edge"}))
            newest = reached.id if reached else 0
            refused = newest if host == failing and newest == revision else 0
            state = AgentState(
                started_ms=1,
                revision=revision - 1 if refused else newest,
                failed=refused,
                why="cpu_share: pinned by the local file" if refused else "",
            )
            told = a_snapshot(a_reading(60), host=host, seq=revision * 100 + seq, taken_at_ms=fleet.clock())
            await fleet.push(replace(told, state=state, agent_version="0.0.9" if number == OLD else "0.1.0"))
        await steward.look()


async def shoot(browser: Browser, fleet: Collecting, pictures: Mapping[str, Picture]) -> None:
    """Pictures of this fleet by name: path, look, width and height."""
    for name, (path, look, (width, height)) in pictures.items():
        context = await browser.new_context(
            color_scheme="dark" if look == "dark" else "light",
            viewport={"width": width, "height": height},
            timezone_id="UTC",
            locale="en-GB",
        )
        page = await context.new_page()
        mark = "&" if "?" in path else "?"
        await page.goto(f"{fleet.url}{path}{mark}login={fleet.tokens['read']}")
        await page.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
        await page.screenshot(path=IMAGES / f"{name}.png")
        await context.close()


async def main() -> None:
    """Tell the story, look at it."""
    IMAGES.mkdir(exist_ok=True)
    async with chromium() as browser:
        async with a_fleet() as fleet:
            await tell_yesterday(fleet)
            await tell(fleet)
            await shoot(browser, fleet, PICTURES)
        async with a_fleet() as fleet:
            await tell_rollouts(fleet)
            await shoot(browser, fleet, {"rollout-light": ("/rollout", "light", (1500, 510))})


@asynccontextmanager
async def a_fleet() -> AsyncIterator[Collecting]:
    """A collector over a database of its own."""
    with tempfile.TemporaryDirectory() as place:
        location = locate(str(Path(place) / "history.db"))
        await asyncio.to_thread(asyncio.run, migrate(location))
        async with database(location) as db, collecting(db) as fleet:
            foresight = Foresight()
            fleet.evaluator = evaluator = Evaluator(
                db=db,
                rules=BUILT_IN,
                channels=("log",),
                channels_for=lambda _severity, _rules: ("log",),
                metrics=Metrics("pictures"),
                clock=fleet.clock,
                on_notice=lambda: None,
                foresee=foresight,
                investigate=Investigation("http://portgauge.example"),
            )
            recollection = Recollection(db, foresight, Keep(), clock=fleet.clock)
            evaluator.evaluate = recollection.after(evaluator.evaluate)  # type: ignore[method-assign,assignment]
            yield fleet


if __name__ == "__main__":
    if reason := why_none():
        sys.exit(reason)
    asyncio.run(main())
