"""Counting failed connect() calls for as long as the agent runs."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.dozing import Sentry
from agent.failures import Ledger
from agent.perf.errors import PerfMalformed, WatchUnavailable
from agent.perf.watcher import FailureWatcher
from shared.logs import fields

log = logging.getLogger(__name__)

DRAIN_EVERY_S = 1.0
"""Soon enough to find the processes that failed still alive, and before the rings are full."""

LOOK_ROUND_EVERY = 60
"""Turns after which it is drained though nothing failed: a CPU may have come that is not watched yet."""


@asynccontextmanager
async def watching(sentry: Sentry) -> AsyncIterator[Ledger]:
    """Write failures into the ledger for as long as the block is open.

    Where they cannot be watched, that is said once and the ledger stays empty: the agent has enough else to tell.
    """
    ledger = Ledger()
    try:
        watcher = await asyncio.to_thread(FailureWatcher.start)
    except WatchUnavailable as error:
        log.warning("failures are not counted", extra=fields(why=str(error)))
        yield ledger
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            loop = tasks.create_task(_drain_forever(watcher, ledger, sentry), name="watching")
            try:
                yield ledger
            finally:
                loop.cancel()
    finally:
        watcher.close()


async def _drain_forever(watcher: FailureWatcher, ledger: Ledger, sentry: Sentry) -> None:
    while True:
        turns = itertools.count(1)
        await sentry.until(
            lambda turns=turns: not watcher.is_quiet or next(turns) >= LOOK_ROUND_EVERY,  # type: ignore[misc] # bound now
            lambda now_s: now_s - now_s % DRAIN_EVERY_S + DRAIN_EVERY_S,
        )
        try:
            ledger.add(await asyncio.to_thread(watcher.drain))
        except PerfMalformed as error:
            log.warning("failures were lost", extra=fields(why=str(error)))
