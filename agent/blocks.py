"""Blocks (`async with`) that can be ended and begun anew in any order, while others stay open."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Block(Generic[T]):
    """One open block. It lives in a task of its own, because a block has to end in the task it began in."""

    made: T
    """What the block gave."""
    _over: asyncio.Event
    _task: "asyncio.Task[None]"

    async def end(self) -> None:
        """Close it, and wait until it is closed."""
        self._over.set()
        await asyncio.wait([self._task])


@dataclass(slots=True)
class Blocks:
    """Opens blocks. A fault in any of them goes to the task group, and so ends the whole agent."""

    tasks: asyncio.TaskGroup

    async def begin(self, block: AbstractAsyncContextManager[T], name: str) -> Block[T]:
        """Open a block; waits until it is open. Where it cannot be, this never returns: the group is cancelled."""
        entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        over = asyncio.Event()

        async def live() -> None:
            async with block as made:
                entered.set_result(made)
                await over.wait()

        task = self.tasks.create_task(live(), name=name)
        return Block(await entered, over, task)
