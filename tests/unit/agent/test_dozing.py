"""Something is looked at by the clock, until there is something to do."""

import asyncio

import pytest

from agent.dozing import until


async def test_it_is_asked_by_the_clock_until_it_is_due() -> None:
    asked: list[float] = []
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    def is_due() -> bool:
        asked.append(loop.time() - began_s)
        return len(asked) == 3

    await until(is_due, lambda: 0.01)

    assert len(asked) == 3
    assert asked[-1] >= 0.03 - loop_grain_s()


def loop_grain_s() -> float:
    """How much too early a timer may fire."""
    return 0.001


async def test_a_failure_to_look_is_raised_where_it_is_waited_for() -> None:
    def is_due() -> bool:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        await until(is_due, lambda: 0.0)


async def test_whoever_is_cancelled_is_asked_no_more() -> None:
    asked = 0
    first = asyncio.Event()

    def is_due() -> bool:
        nonlocal asked
        asked += 1
        first.set()
        return False

    waiting = asyncio.create_task(until(is_due, lambda: 0.001))
    await first.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    before = asked
    await asyncio.sleep(0.01)

    assert waiting.cancelled()
    assert asked == before
