"""Two hundred agents lose their collector for some seconds: they come back spread out, and bring everything."""

import asyncio
import json
import logging
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.line import Route
from agent.push import Pusher, pushing
from agent.spool import Spool
from agent.tallies import Pushes
from shared.wire import encode
from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, serving

pytestmark = pytest.mark.timeout(400)
AGENTS = 200
AWAY_S = 5.0
INTERVAL_S = 1.0
BIN_S = 1.0


class Noted(Pushes):
    """Notes when connections are opened, too."""

    def __init__(self, opened_s: list[float]) -> None:
        super().__init__()
        self._opened_s = opened_s

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "connects" and value:
            self._opened_s.append(time.monotonic())
        super().__setattr__(name, value)


@dataclass(slots=True)
class Herd:
    """Loops that push, and loops that spool a snapshot a second for them."""

    base: str
    token: str
    place: Path
    opened_s: list[float] = field(default_factory=list)
    pushers: list[Pusher] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with ExitStack() as spools:
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
                for number in range(AGENTS):
                    spool = Spool(self.place / str(number), boot_id="b", max_bytes=10**7, max_age_ms=10**9)
                    spools.enter_context(spool)
                    pusher = Pusher(spool, Route(base=self.base), lambda: self.token, pushes=Noted(self.opened_s))
                    await stack.enter_async_context(pushing(pusher))
                    self.pushers.append(pusher)
                spooling = [tasks.create_task(self._spool(number)) for number in range(AGENTS)]
                yield
                for task in spooling:
                    task.cancel()
                await asyncio.wait(spooling)
                await self.until_empty()

    async def _spool(self, number: int) -> None:
        await asyncio.sleep(INTERVAL_S * number / AGENTS)
        pusher = self.pushers[number]
        while True:
            await asyncio.to_thread(self._put, number, time.time_ns() // 10**6)
            pusher.wake.set()
            await asyncio.sleep(INTERVAL_S)

    def _put(self, number: int, at_ms: int) -> None:
        spool = self.pushers[number].spool

        def body(seq: int) -> bytes:
            name, boot = f"lb{number}", spool.stream_id
            return encode(a_snapshot(a_reading(), host=name, boot_id=boot, seq=seq, taken_at_ms=at_ms))

        spool.put(body, at_ms)

    async def until_connected(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.opened_s) < count:  # noqa: ASYNC110 - counted where there are no events
                await asyncio.sleep(0.05)

    async def until_empty(self) -> None:
        async with asyncio.timeout(90):
            while any(pusher.spool.newest() for pusher in self.pushers):  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.2)


async def test_the_peak_of_reconnects_is_below_three_times_their_mean_and_all_arrives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "agent")  # Two hundred voices.
    database = migrated(tmp_path)
    push, read = a_token(database, "--scope", "push"), a_token(database, "--scope", "read")
    with ExitStack() as stack:
        collector = stack.enter_context(serving(database))
        herd = Herd(collector.url, push, tmp_path)
        async with herd.running():
            await herd.until_connected(AGENTS)
            await asyncio.sleep(INTERVAL_S)
            collector.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(collector.process.wait)
            await asyncio.sleep(AWAY_S)
            before = len(herd.opened_s)
            back = serving(database, listen=collector.url.removeprefix("http://"))
            collector = await asyncio.to_thread(stack.enter_context, back)
            await herd.until_connected(before + AGENTS)
        hosts = told(collector, read)

    back_s = herd.opened_s[before : before + AGENTS]
    bins = Counter(int((at_s - back_s[0]) / BIN_S) for at_s in back_s)
    mean = AGENTS / max(1.0, (back_s[-1] - back_s[0]) / BIN_S)
    assert max(bins.values()) / mean < 3, sorted(bins.items())
    assert len(hosts) == AGENTS
    assert all(host["missing"] == 0 and host["received"] == host["last_seq"] for host in hosts)


def told(collector: Serving, token: str) -> list[dict[str, Any]]:
    hosts: list[dict[str, Any]] = json.loads(collector.get("/v1/hosts", token))["items"]
    return hosts
