"""A real browser without a screen: Debian's chromium, led by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)  # Its own five seconds are short where others work too.


def why_none() -> str | None:
    """Why there is no browser here; None where there is one."""
    if shutil.which("chromium") is None:
        return "no chromium here (make deps installs it): pages are not seen by a real browser"
    return None


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser; give each story a context of its own."""
    # Its sandbox wants namespaces of its own, which root and containers do not give; it visits our loopback only.
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            await browser.close()
