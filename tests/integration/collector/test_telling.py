"""From a snapshot to a person: the real process, a real receiver."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from collector.run import listening
from collector.run import serving as serving_app
from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, serving
from tests.receiving import CONFIG as HOT

CONFIG = (
    """
[[rule]]
name = "warm"
severity = "plan"
raise_at = 0.70
clear_at = 0.60
"""
    + HOT
)


class Receiver:
    """Takes notices down; fails as often as it is told first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.notices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        await self.notices.put(await request.json())
        return web.Response(status=204)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(8):
            return await self.notices.get()


@asynccontextmanager
async def receiving(failures: int = 0) -> AsyncIterator[Receiver]:
    receiver, app = Receiver(failures), web.Application()
    app.router.add_post("/notice", receiver.take)
    with listening("127.0.0.1:0") as listener:
        async with serving_app(app, listener) as receiver.url:
            yield receiver


def configured(tmp_path: Path, url: str) -> Path:
    config = tmp_path / "collector.toml"
    config.write_text(CONFIG.format(url=url))
    return config


async def all_delivered(collector: Serving, reader: str, count: int) -> None:
    """Wait until so many notices are written down as delivered: what was received may not be yet."""
    async with asyncio.timeout(8):
        while True:
            items = json.loads(await asyncio.to_thread(collector.get, "/v1/notices", reader))["items"]
            if [item["outcome"] for item in items] == ["delivered"] * count:
                return
            await asyncio.sleep(0.05)


async def test_firing_and_resolved_reach_the_webhook_and_the_log(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    token = a_token(database, "--scope", "push")
    async with receiving() as receiver:
        with serving(database, "--config", configured(tmp_path, receiver.url)) as collector:
            assert await asyncio.to_thread(collector.push, a_snapshot(a_reading(255), seq=1), token) == 202
            fired = [await receiver.next()]
            assert await asyncio.to_thread(collector.push, a_snapshot(seq=2), token) == 202
            resolved = [await receiver.next()]
            await all_delivered(collector, a_token(database, "--scope", "read"), 4)
            assert collector.stop() == 0
        log = collector.log.read_text()
    assert [(notice["state"], notice["rule"]) for notice in fired] == [("firing", "hot")]
    assert [(notice["state"], notice["rule"]) for notice in resolved] == [("resolved", "hot")]
    assert {notice["alert"] for notice in fired} == {notice["alert"] for notice in resolved}
    assert "PAGE lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left" in log
    assert "RESOLVED lb1: 127.0.0.1 -> 127.0.0.1:9001 holds 0 of 300 ports (0 %), 300 left" in log


async def test_a_failing_receiver_is_told_later_and_the_log_at_once(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    token = a_token(database, "--scope", "push")
    async with receiving(failures=2) as receiver:
        with serving(database, "--config", configured(tmp_path, receiver.url)) as collector:
            await asyncio.to_thread(collector.push, a_snapshot(a_reading(255), seq=1), token)
            assert (await receiver.next())["rule"] == "hot"
        log = collector.log.read_text()
    assert log.count("PAGE lb1") == 1
    assert "notice not delivered channel=webhook" in log
    assert receiver.url not in log


async def test_a_kill_between_two_reports_tells_nobody_twice(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    token = a_token(database, "--scope", "push")
    async with receiving() as receiver:
        config = configured(tmp_path, receiver.url)
        with serving(database, "--config", config) as collector:
            await asyncio.to_thread(collector.push, a_snapshot(a_reading(255), seq=1), token)
            await receiver.next()
            await all_delivered(collector, a_token(database, "--scope", "read"), 2)
            collector.process.kill()
        with serving(database, "--config", config) as collector:
            await asyncio.to_thread(collector.push, a_snapshot(a_reading(260), seq=2), token)
            await asyncio.to_thread(collector.push, a_snapshot(seq=3), token)
            assert (await receiver.next())["state"] == "resolved"
        assert receiver.notices.empty()
