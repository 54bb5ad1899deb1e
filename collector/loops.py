"""Background work: loops that a bell wakes, that outlive a passing fault, and that die loudly of any other."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

from collector.storage.errors import DatabaseUnusable
from shared.clock import monotonic_s
from shared.logs import fields

Loops = dict[str, Coroutine[object, object, None]]
"""Endless work, by the name it has in a traceback."""
log = logging.getLogger(__name__)


class Bell:
    """Wakes one loop early. Ringing while it is awake makes its next rest short."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is something to do."""
        self._rung.set()

    async def rest(self, seconds: float) -> None:
        """Sleep until it rings, at most `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


async def repeat_forever(
    work: Callable[[], Awaitable[bool]], bell: Bell, *, rest_s: float, name: str, pace_s: float = 0.0
) -> None:
    """Do `work` again at once while it answers True (more is waiting), else when the bell rings or after `rest_s`.

    However often the bell rings, rounds begin `pace_s` apart at least: what comes in between shares the next one. A
    database that cannot be used for a while is told once and waited for.
    """
    is_out = False
    while True:
        began_s = monotonic_s()
        try:
            is_more = await work()
            is_out = False
        except DatabaseUnusable as error:
            if not is_out:
                log.error("waiting for the database", extra=fields(loop=name, why=error))  # noqa: TRY400 - foreseen
            is_out, is_more = True, False
        if not is_more:
            await asyncio.sleep(began_s + pace_s - monotonic_s())
            await bell.rest(rest_s)


@asynccontextmanager
async def background(loops: Loops) -> AsyncIterator[None]:
    """Run these loops for as long as the block is open.

    An unforeseen fault in one ends the block: a collector that no longer evaluates must not look alive.
    """
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(loop, name=name) for name, loop in loops.items()]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
