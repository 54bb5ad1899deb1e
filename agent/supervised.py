"""Being watched by systemd: it hears when the first snapshot is spooled, and from then on that sampling goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agent import systemd
from agent.health import in_a_line, is_stuck
from agent.systemd import Notifier
from agent.tallies import Samplings
from shared import clock

FIRST_LOOK_S = 0.05
STATUS_EVERY_S = 20.0


@asynccontextmanager
async def supervised(notifier: Notifier, samplings: Samplings, waiting: Callable[[], int]) -> AsyncIterator[None]:
    """Tell systemd how we are for as long as the block is open. `waiting` counts unsent snapshots; it may block."""
    if not notifier.address:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(_tell_forever(notifier, samplings, waiting), name="supervised")
        try:
            yield
        finally:
            loop.cancel()


async def _tell_forever(notifier: Notifier, samplings: Samplings, waiting: Callable[[], int]) -> None:
    is_ready = False
    while True:
        if not samplings.samples:
            await asyncio.sleep(FIRST_LOOK_S)
            continue
        notifier.tell(*([] if is_ready else [systemd.READY]), *(await _how_it_goes(samplings, waiting)))
        is_ready = True
        await asyncio.sleep(min(STATUS_EVERY_S, (notifier.watchdog_s or STATUS_EVERY_S) / 3))


async def _how_it_goes(samplings: Samplings, waiting: Callable[[], int]) -> list[str]:
    now_s = clock.monotonic_s()
    if is_stuck(samplings, now_s):
        return [systemd.status("the sampling loop hangs")]  # And no word to the watchdog: it shall end us.
    return [systemd.WATCHDOG, systemd.status(in_a_line(samplings, now_s, await asyncio.to_thread(waiting)))]
