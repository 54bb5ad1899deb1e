"""Something is looked at by the clock, until there is something to do."""

import asyncio
import threading

import pytest

from agent.dozing import sentry
from shared import clock


def soon(now_s: float) -> float:
    return now_s + 0.01


async def test_it_is_asked_by_the_clock_until_it_is_due() -> None:
    asked: list[float] = []
    began_s = clock.monotonic_s()

    def is_due() -> bool:
        asked.append(clock.monotonic_s() - began_s)
        return len(asked) == 3

    async with sentry() as on_guard:
        await on_guard.until(is_due, soon)

    assert len(asked) == 3
    assert asked[-1] >= 0.03


async def test_whoever_wants_to_look_sooner_than_all_others_does() -> None:
    async with sentry() as on_guard:
        later = asyncio.create_task(on_guard.until(lambda: True, lambda now_s: now_s + 3_600))
        await asyncio.wait_for(on_guard.until(lambda: True, soon), 30)
        later.cancel()
        await asyncio.wait([later])

    assert later.cancelled()


async def test_the_event_loop_is_left_alone_meanwhile() -> None:
    looked = threading.Event()

    def is_due() -> bool:
        looked.set()
        return False

    async with sentry() as on_guard:
        dozing = asyncio.create_task(on_guard.until(is_due, soon))
        await asyncio.sleep(0)
        assert looked.wait(30)  # The loop does not turn.
        assert not dozing.done()
        dozing.cancel()
        await asyncio.wait([dozing])


async def test_a_failure_to_look_is_raised_where_it_is_waited_for() -> None:
    def is_due() -> bool:
        raise OSError("no such file")

    async with sentry() as on_guard:
        with pytest.raises(OSError, match="no such file"):
            await on_guard.until(is_due, soon)
        await on_guard.until(lambda: True, soon)


async def test_whoever_is_cancelled_is_asked_no_more() -> None:
    asked = 0
    first = asyncio.Event()
    loop = asyncio.get_running_loop()

    def is_due() -> bool:
        nonlocal asked
        asked += 1
        loop.call_soon_threadsafe(first.set)
        return False

    async with sentry() as on_guard:
        waiting = asyncio.create_task(on_guard.until(is_due, soon))
        await first.wait()
        waiting.cancel()
        await asyncio.wait([waiting])
        before = asked
        await on_guard.until(lambda: True, lambda now_s: now_s + 0.03)

    assert waiting.cancelled()
    assert asked == before


async def test_the_thread_ends_with_the_block() -> None:
    async with sentry():
        assert "sentry" in [one.name for one in threading.enumerate()]

    assert "sentry" not in [one.name for one in threading.enumerate()]
