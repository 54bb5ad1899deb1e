"""A real agent watches a pool fill, and the page, open in a real browser, follows without a reload."""

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.agent_process import AnAgent
from tests.chromium import PATIENCE_MS, chromium, why_none
from tests.collector_process import Serving, a_token, migrated, serving
from tests.secret import a_secret

pytestmark = pytest.mark.skipif(why_none() is not None, reason=why_none() or "")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return migrated(tmp_path)


@pytest.fixture
def collector(database: Path) -> Iterator[Serving]:
    with serving(database) as running:
        yield running


@pytest.fixture
def agent(collector: Serving, database: Path, tmp_path: Path) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path / "agent", {})
    a_secret(tmp_path / "push-token", a_token(database, "--scope", "push"))
    made.configure(collector=collector.url, token_file=str(tmp_path / "push-token"), interval_s=1.0, host="lb1")
    made.start()
    yield made
    made.end()


def spend(listener: socket.socket, count: int, keep: list[socket.socket]) -> None:
    for _ in range(count):
        keep.append(socket.create_connection(listener.getsockname()))
        keep.append(listener.accept()[0])


async def test_the_page_follows_a_pool_that_a_real_agent_watches(
    collector: Serving, agent: AnAgent, database: Path, keep: list[socket.socket]
) -> None:
    assert shutil.which("chromium")
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    keep.append(listener)
    peer = f"127.0.0.1:{listener.getsockname()[1]}"
    spend(listener, 50, keep)
    async with chromium() as browser:
        page = await browser.new_page()
        loads: list[str] = []
        await page.goto(f"{collector.url}/?peer={peer}&login={a_token(database, '--scope', 'read')}")
        page.on("load", lambda _page: loads.append("again"))
        row = page.locator("tbody tr")
        await expect(row).to_contain_text("ESTABLISHED 50", timeout=PATIENCE_MS)
        await expect(page.get_by_role("status")).to_have_text("live")
        spend(listener, 150, keep)
        await expect(row).to_contain_text("ESTABLISHED 200", timeout=PATIENCE_MS)
        assert loads == []
        # An open page must not keep the collector from ending, and says so when it has.
        assert collector.stop(within_s=10) == 0
        await expect(page.get_by_role("status")).to_have_text(re.compile("not live"), timeout=PATIENCE_MS)
    assert agent.process.poll() is None
