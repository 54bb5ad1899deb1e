"""Blocks that outlive each other in any order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from agent.blocks import Blocks


def a_block(name: str, events: list[str], fault: asyncio.Event | None = None) -> AbstractAsyncContextManager[str]:
    @asynccontextmanager
    async def block() -> AsyncIterator[str]:
        events.append(f"{name} opens")
        async with asyncio.TaskGroup() as tasks:
            loop = tasks.create_task(_work(fault or asyncio.Event()))
            try:
                yield name
            finally:
                loop.cancel()
                events.append(f"{name} closes")

    return block()


async def _work(fault: asyncio.Event) -> None:
    await fault.wait()
    raise ValueError("broken")


async def test_the_first_may_end_before_the_second() -> None:
    events: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        blocks = Blocks(tasks)
        one = await blocks.begin(a_block("one", events), "one")
        two = await blocks.begin(a_block("two", events), "two")
        assert (one.made, two.made) == ("one", "two")
        await one.end()
        await two.end()

    assert events == ["one opens", "two opens", "one closes", "two closes"]


async def test_a_fault_in_one_ends_all() -> None:
    """An agent that is half dead must not look alive."""
    events: list[str] = []
    fault = asyncio.Event()

    async def two_blocks() -> None:
        async with asyncio.TaskGroup() as tasks:
            blocks = Blocks(tasks)
            await blocks.begin(a_block("one", events, fault), "one")
            await blocks.begin(a_block("two", events), "two")
            fault.set()
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await two_blocks()

    assert caught.value.split(ValueError)[1] is None
    assert sorted(events[2:]) == ["one closes", "two closes"]
