"""Clients of the whole fleet: so many requests a second to each load balancer, whether or not they are answered.

    python -m tests.fleet.traffic RATE IP:PORT…

Each connects, reads to the end and goes. Prints `ready`; ends when it is told to.
"""

import asyncio
import contextlib
import sys
import time

CONNECT_S = 2.0
"""A person's patience: a load balancer that comes back is not stormed by who came while it was away."""
MOST_AT_ONCE = 800
"""Requests of one load balancer under way; more clients than that go elsewhere."""
ERRORS = (OSError, TimeoutError)


async def request(host: str, port: int) -> None:
    """One client."""
    with contextlib.suppress(*ERRORS):
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
        with contextlib.closing(writer):
            await reader.read()


async def flow(rate_per_s: float, host: str, port: int) -> None:
    """Clients of one load balancer, for ever."""
    begun_s, begun = time.monotonic(), 0
    async with asyncio.TaskGroup() as tasks:
        under_way: set[asyncio.Task[None]] = set()
        while True:
            due = int((time.monotonic() - begun_s) * rate_per_s)
            for _ in range(min(due - begun, MOST_AT_ONCE - len(under_way))):
                task = tasks.create_task(request(host, port))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            begun = due
            await asyncio.sleep(0.1)


async def main(rate_per_s: float, doors: list[str]) -> None:
    """Until ended."""
    async with asyncio.TaskGroup() as tasks:
        for door in doors:
            host, _, port = door.rpartition(":")
            tasks.create_task(flow(rate_per_s, host, int(port)))
        print("ready", flush=True)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
