"""Listening to what proxies log about connect() without a port, for as long as the block is open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

from agent.errors import JournalUnreadable
from agent.evidence.follow import Follower
from agent.evidence.journal import journal_lines
from agent.evidence.ledger import Ledger
from agent.evidence.phrases import recognise
from shared import clock
from shared.logs import fields

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
RETRY_S = 30.0
"""After journalctl ended."""


@asynccontextmanager
async def overhearing(files: Sequence[Path], identifiers: Sequence[str]) -> AsyncIterator[Ledger]:
    """Write what is said in these log files, and by these identifiers in the journal, into the ledger.

    What cannot be read is said in the log once; the agent has enough else to tell.
    """
    ledger = Ledger()
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        loops = [tasks.create_task(_follow_forever(path, ledger), name=f"overhearing {path}") for path in files]
        if identifiers:
            loops.append(tasks.create_task(_journal_forever(identifiers, ledger), name="overhearing the journal"))
        try:
            yield ledger
        finally:
            for loop in loops:
                loop.cancel()


async def _follow_forever(path: Path, ledger: Ledger) -> None:
    follower: Follower | None = None
    trouble = ""
    try:
        while True:
            try:
                follower = follower or Follower(path)
                await asyncio.to_thread(_read, follower, ledger)
                trouble = ""
            except OSError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    log.warning("a log cannot be read", extra=fields(path=path, why=trouble))
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        if follower:
            follower.close()


def _read(follower: Follower, ledger: Ledger) -> None:
    for line in follower.lines():
        hear(line, ledger)


async def _journal_forever(identifiers: Sequence[str], ledger: Ledger) -> None:
    while True:
        try:
            async with aclosing(journal_lines(identifiers)) as lines:
                async for line in lines:
                    hear(line, ledger)
        except JournalUnreadable as error:
            log.warning("the journal cannot be read", extra=fields(why=str(error)))
        await asyncio.sleep(RETRY_S)


def hear(line: str, ledger: Ledger) -> None:
    """Note the line if it says something."""
    phrase = recognise(line)
    if phrase:
        ledger.add(phrase, clock.wall_ms())
