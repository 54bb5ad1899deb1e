"""The page in a real browser: each view without an error, for everybody; live; and nothing that hosts say is run."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from collector.access.token import Scope
from collector.storage.database import database
from collector.storage.location import locate
from collector.web.links import pool_link
from shared.ports import PortRange
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot
from tests.chromium import PATIENCE_MS, chromium, why_none
from tests.collecting import Collecting, collecting

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(why_none() is not None, reason=why_none() or ""),
]
EVIL = "\"><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>{{7*7}}"
VIEWS = {
    "fleet": "/",
    "hosts": "/hosts",
    "host": "/host?host=lb1",
    "pool": pool_link("lb1", a_pool()) + "&window=15m",
    "backend": "/backend?peer=127.0.0.1:9001",
    "host that lies": "/host?host=liar",
    "pool that lies": pool_link("liar", a_pool(netns=EVIL)),
    "over time": "/history?window=1h",
    "alerts": "/alerts",
    "drift": "/drift",
    "rollout": "/rollout",
    "near misses": "/near-misses",
    "capacity": "/plan?add_backends=1&range=1024-65535",
}
UNKNOWN = {
    "/": ("? silent", "⊘ blind", "Hosts that are unknown"),
    "/hosts": ("? silent", "⊘ blind"),
    "/host?host=gone": ("? silent", "? 6 %, unknown now"),
    "/host?host=blind": ("⊘ blind", "unknown: it cannot sample"),
    pool_link("gone", a_pool()): (
        "? silent",
        "unknown: its host does not report",
        "These are the sums of its last report",
    ),
    "/backend?peer=127.0.0.1:9001": ("? unknown 2 hosts do not report now", "? 6 %, unknown now"),
    "/history": ("? unknown 2 hosts do not report now", "gone ? silent"),
    "/drift": ("? unknown 2 hosts do not report now", "gone ? silent"),
    "/rollout": ("? unknown 2 hosts do not report now", "gone ? silent", "? 1"),
    "/near-misses": ("? unknown 2 hosts do not report now",),
    "/plan": ("? unknown 2 hosts do not report now",),
}
"""By view, how the hosts that are silent (gone) and blind are told, in words and shapes: none of it is a colour."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDEST = """[...document.querySelectorAll("main *")].filter(one => !one.closest(".wide")
  && one.getBoundingClientRect().right > 360).map(one => one.outerHTML.slice(0, 80)).slice(0, 5).join()"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fleet(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Collecting]:
    """Five hosts: one fills, one drifts, one is blind, one is silent, and some lie."""
    file = tmp_path_factory.mktemp("page") / "history.db"
    shutil.copy(migrated_file, file)
    async with database(locate(str(file))) as db, collecting(db) as running:
        narrow = a_namespace(ports=PortRange(40_000, 40_099))
        gone = a_snapshot(a_reading(20), host="gone", namespaces=[narrow])
        await running.push(replace(gone, agent_version="0.0.9"))
        running.clock.turn(60)
        for seq, held in enumerate((100, 200, 255)):
            running.clock.turn(10)
            now_ms = running.clock()
            readings = a_reading(held), a_reading(160, pool=a_pool(9002))
            await running.push(a_snapshot(*readings, seq=seq, taken_at_ms=now_ms))
            lies = replace(a_reading(270, pool=a_pool(netns=EVIL)), owner=EVIL)
            spaces = a_namespace(), a_namespace(EVIL)
            for host, role in (("lb2", "edge"), ("liar", EVIL), ("lb3", "edge")):
                known: dict[str, Any] = {
                    "labels": {"role": role, "rack": EVIL},
                    "namespaces": spaces,
                    "taken_at_ms": now_ms,
                    "seq": seq,
                }
                await running.push(a_snapshot(a_reading(90), lies, host=host, **known))
            await running.push(a_snapshot(host="odd", seq=seq, taken_at_ms=now_ms, namespaces=[narrow]))
            await running.push(a_snapshot(host="blind", seq=seq, taken_at_ms=now_ms, namespaces=[], failure=EVIL))
            await running.evaluate()
        yield running


@asynccontextmanager
async def visiting(
    browser: Browser, fleet: Collecting, path: str, token: str = "", **context: Any
) -> AsyncIterator[Page]:
    """A person who is logged in and looks at a view; whatever the browser complains of fails the test."""
    opened = await browser.new_context(**context)
    opened.set_default_timeout(PATIENCE_MS)
    page, said = await opened.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    mark = "&" if "?" in path else "?"
    await page.goto(f"{fleet.url}{path}{mark}login={token or fleet.tokens['read']}")
    try:
        yield page
        assert said == []
    finally:
        await opened.close()


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_is_without_errors_fits_a_phone_and_is_for_everybody(
    browser: Browser, fleet: Collecting, view: str
) -> None:
    async with visiting(browser, fleet, VIEWS[view]) as page:
        assert await page.evaluate("window.hacked") is None
        assert await page.title() != ""
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            found = await Axe().run(page, options=RULES)
            assert found.violations_count == 0, found.generate_report()
        await page.set_viewport_size({"width": 360, "height": 740})
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, await page.evaluate(WIDEST)


async def test_the_chart_is_seen(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, VIEWS["pool"]) as page:
        image = page.locator("#chart img")
        await image.scroll_into_view_if_needed()
        await page.wait_for_function("document.querySelector('#chart img').naturalWidth > 0")


async def test_dragging_over_the_chart_asks_for_that_stretch(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, VIEWS["pool"], viewport={"width": 1200, "height": 1600}) as page:
        image = page.locator("#chart img")
        await page.wait_for_function("document.querySelector('#chart img').naturalWidth > 0")
        box = await image.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        await page.mouse.move(box["x"] + box["width"] / 2, middle)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.75, middle)
        await expect(page.locator(".brush")).to_be_visible()
        async with page.expect_navigation():
            await page.mouse.up()
        asked = dict(parse_qsl(urlsplit(page.url).query))
        span = datetime.fromisoformat(asked["to"]) - datetime.fromisoformat(asked["from"])
        assert "window" not in asked
        assert timedelta(minutes=3) < span < timedelta(minutes=6)


async def test_times_are_the_viewers_and_utc_on_hover(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, VIEWS["host"], timezone_id="Asia/Tokyo", locale="en-GB") as page:
        time = page.locator("time").first
        await expect(time).to_contain_text("21:01:30")
        assert await time.get_attribute("title") == "2026-11-22 12:01:30 UTC"


async def test_tables_and_forms_work_without_scripts(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/", java_script_enabled=False) as page:
        await page.get_by_label("peer").fill("127.0.0.1:9002")
        await page.get_by_role("button", name="Filter").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="127.0.0.1 -> 127.0.0.1:9002").first.click()
        await expect(page.get_by_text("From the range to what is left")).to_be_visible()


async def test_the_keyboard_leads_everywhere(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/") as page:
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")


async def test_unknown_is_said_in_words(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/host?host=gone") as page:
        await expect(page.get_by_text("unknown now").first).to_be_visible()
        await expect(page.locator("tr.hot, tr.calm, tr.warm")).to_have_count(0)


@pytest.mark.parametrize("path", UNKNOWN)
async def test_who_is_silent_or_blind_is_unknown_in_words_and_shapes_on_every_view(
    browser: Browser, fleet: Collecting, path: str
) -> None:
    """As a page without any colour shows it: forced colours take every ground and every shade away."""
    async with visiting(browser, fleet, path, forced_colors="active") as page:
        for said in UNKNOWN[path]:
            await expect(page.locator("main")).to_contain_text(said)


async def test_hours_of_which_nothing_is_known_are_marked_in_the_map(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/history") as page:
        cells = page.locator(".map .heat-unknown")
        assert set(await cells.all_inner_texts()) == {"?"}
        look = await cells.first.evaluate("one => getComputedStyle(one).backgroundImage")
        assert "repeating-linear-gradient" in look


async def test_who_has_no_good_token_sees_nothing(browser: Browser, fleet: Collecting) -> None:
    page = await browser.new_page()
    await page.goto(f"{fleet.url}{VIEWS['host']}")
    await page.get_by_label("A read token").fill("pg_nonsense")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not known")
    await page.get_by_label("A read token").fill(fleet.tokens["read"])
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="lb1")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("A read token")).to_be_visible()
    await page.close()


async def test_an_alert_is_silenced_and_the_silence_ended(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/alerts", await fleet.token(Scope.ADMIN)) as page:
        await page.get_by_label("who").fill("ana")
        await page.get_by_label("why").fill(EVIL)
        await page.get_by_role("button", name="Silence").click()
        await expect(page.get_by_role("cell", name=EVIL, exact=True)).to_be_visible()
        assert await page.evaluate("window.hacked") is None
        await page.get_by_role("button", name="End the silence of ana").click()
        await expect(page.get_by_text("Nothing is silenced.")).to_be_visible()


async def test_a_reader_is_offered_no_silence(browser: Browser, fleet: Collecting) -> None:
    async with visiting(browser, fleet, "/alerts") as page:
        await expect(page.get_by_role("button", name="Silence")).to_have_count(0)
        await expect(page.get_by_text("log in with an admin token")).to_be_visible()
