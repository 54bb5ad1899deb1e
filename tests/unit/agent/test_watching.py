"""Failures reach the ledger while the block is open; where they cannot, that is said and nothing else breaks."""

import asyncio
import json
import logging
import subprocess
import sys

import pytest

from agent import watching as module
from agent.dozing import sentry
from agent.failures import FailureCount, Failures, Target
from agent.perf.errors import PerfMalformed, PerfRefused
from agent.perf.watcher import FailureWatcher
from agent.watching import watching as counting
from tests.netns import Netns

ONE = Failures({Target(0, b"\x7f\0\0\1", b"\x7f\0\0\1", 9001): FailureCount(1, 0, 0)})


@pytest.mark.usefixtures("watching")
async def test_real_failures_reach_the_ledger(netns: Netns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAIN_EVERY_S", 0.05)
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40009")

    async with sentry() as on_guard, counting(on_guard) as ledger:
        command = [sys.executable, "-m", "tests.spender", json.dumps([["connect", "127.0.0.1", 9001, 17]])]
        process = netns.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(0.3)
        seen = ledger.take()

    assert 7 in [one.count for target, one in seen.by_target.items() if target.peer_port == 9001]


async def test_without_the_right_it_is_said_once_and_the_ledger_stays_empty(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> FailureWatcher:
        raise PerfRefused(13)

    monkeypatch.setattr(FailureWatcher, "start", refused)
    with caplog.at_level(logging.WARNING):
        async with sentry() as on_guard, counting(on_guard) as ledger:
            assert ledger.take() == Failures()

    assert [record.message for record in caplog.records] == ["failures are not counted"]


class Watcher:
    """Gives one failure, then nonsense, then one more each time."""

    def __init__(self) -> None:
        self.drains = 0
        self.closed = False
        self.is_quiet = False

    def drain(self) -> Failures:
        self.drains += 1
        if self.drains == 2:
            raise PerfMalformed(0, 8, 4)
        return ONE

    def close(self) -> None:
        self.closed = True


async def test_a_ring_that_holds_nonsense_is_said_and_watching_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = Watcher()
    monkeypatch.setattr(module, "DRAIN_EVERY_S", 0.01)
    monkeypatch.setattr(FailureWatcher, "start", lambda: watcher)

    async with sentry() as on_guard, counting(on_guard) as ledger:
        await asyncio.sleep(0.5)

    assert sum(one.count for one in ledger.take().by_target.values()) >= 2
    assert "failures were lost" in caplog.text
    assert watcher.closed


async def test_an_unforeseen_fault_ends_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that no longer watches must not look as if it did."""
    watcher = Watcher()
    monkeypatch.setattr(module, "DRAIN_EVERY_S", 0.01)
    monkeypatch.setattr(FailureWatcher, "start", lambda: watcher)
    monkeypatch.setattr(watcher, "drain", lambda: 1 // 0)

    with pytest.raises(ExceptionGroup):
        async with sentry() as on_guard, counting(on_guard):
            await asyncio.sleep(5)

    assert watcher.closed
