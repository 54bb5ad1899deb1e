"""Logs reach the ledger while the block is open; one that cannot be read is said once and harms nobody."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import overhearing as module
from agent.evidence.ledger import Ledger
from agent.overhearing import hear, overhearing

LINE = "Connect() failed for backend app: no free ports.\n"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(module, "RETRY_S", 0.01)


async def test_what_a_log_says_reaches_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "haproxy.log"
    heard: list[tuple[str, int]] = []
    async with overhearing([path], []) as ledger:
        await asyncio.sleep(0.05)
        path.write_text(f"Server app/a is UP\n{LINE}{LINE}", encoding="utf-8")

        def is_heard() -> bool:
            heard.extend((said.phrase.program, said.count) for said in ledger.take())
            return bool(heard)

        await until(is_heard)

    assert heard == [("haproxy", 2)]


async def test_a_log_that_may_not_be_read_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A directory is nobody's log, whoever asks."""
    with caplog.at_level(logging.WARNING):
        async with overhearing([tmp_path], []):
            await until(lambda: "a log cannot be read" in caplog.messages)
            await asyncio.sleep(0.1)

    assert caplog.messages.count("a log cannot be read") == 1


async def test_a_journal_that_cannot_be_read_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with caplog.at_level(logging.WARNING):
        async with overhearing([], ["haproxy"]):
            await until(lambda: "the journal cannot be read" in caplog.messages)


def test_other_lines_are_passed_over() -> None:
    ledger = Ledger()
    hear("Server app/a is UP", ledger)

    assert ledger.take() == ()
