"""The documentation as a site: every page has its place, every link and anchor holds, and nothing is fetched."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import expect

from collector.run import listening, serving
from tests.chromium import PATIENCE_MS, chromium, why_none

ROOT = Path(__file__).parents[2]
_FETCHED = re.compile(r'<(?:script|img|link)\b[^>]*?(?:src|href)="?((?:https?:)?//[^">\s]+)')
_STYLE = re.compile(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` does: strictly."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(place)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return place


def test_every_page_is_there(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}

    assert [str(page) for page in pages if not (site / page).exists()] == []


def test_readme_is_the_first_page_and_decisions_are_listed(site: Path) -> None:
    first, decisions = (site / "index.html").read_text(), (site / "decisions" / "index.html").read_text()

    assert 'href="operating.html' in first
    assert 'src="images/' in first
    listed = re.findall(r'href="(\d{4}-[^"#]+\.html)"', decisions)
    assert len(set(listed)) == len(list((ROOT / "docs" / "decisions").glob("0*.md")))


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """A page that is opened where there is no internet, or by somebody who is paged, looks as it should."""
    pages = {str(page): _FETCHED.findall(page.read_text()) for page in site.rglob("*.html")}
    styles = {str(style): _STYLE.findall(style.read_text()) for style in site.rglob("*.css")}

    assert {name: found for name, found in (pages | styles).items() if found} == {}


@pytest.mark.skipif(why_none() is not None, reason=why_none() or "")
async def test_who_searches_for_a_message_finds_help_first_and_asks_nobody_else(site: Path) -> None:
    app, asked = web.Application(), list[str]()
    app.router.add_static("/", site)
    with listening("127.0.0.1:0") as listener:
        async with serving(app, listener) as url, chromium() as browser:
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(f"{url}/concepts.html?q=no+free+ports")
            first = page.locator(".md-search-result__link").first
            await expect(first).to_have_attribute("href", re.compile("/troubleshooting.html"), timeout=PATIENCE_MS)
    assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []
