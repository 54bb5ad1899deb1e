"""Waiting for what has to be looked at now and then, at the least cost. The edge: timers of the event loop.

A task that sleeps is woken by a timer, which sets a future, which wakes the task in another turn of the loop. Where
there is mostly nothing to do, a timer that looks by itself takes half of that.
"""

import asyncio
from collections.abc import Callable


async def until(is_due: Callable[[], bool], next_s: Callable[[], float]) -> None:
    """Ask `is_due` whenever `next_s` seconds have passed, and return once it is. What either raises is raised here."""
    loop = asyncio.get_running_loop()
    due = loop.create_future()

    def look() -> None:
        if due.done():
            return  # Cancelled meanwhile.
        try:
            if is_due():
                due.set_result(None)
            else:
                timers[0] = loop.call_later(next_s(), look)
        except Exception as error:  # noqa: BLE001 - handed to who waits
            due.set_exception(error)

    timers = [loop.call_later(next_s(), look)]
    try:
        await due
    finally:
        timers[0].cancel()
