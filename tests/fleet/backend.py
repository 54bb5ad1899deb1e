"""All backends of the fleet, in one process: each answers at once, until told to be slow.

    python -m tests.fleet.backend FD…

Each FD is a listener, of whatever namespace. Lines on standard input: `slow FD` has it keep every request waiting,
`quick FD` lets all of them go. A backend closes first, as a server of `Connection: close` does, so that the TIME_WAIT
is its own and holds no port of a load balancer. Prints `ready`; ends with its standard input.
"""

import asyncio
import contextlib
import socket
import sys

ANSWER = b"hello"
BACKLOG = 4_096
WORK_S = 0.02


async def main(listeners: list[int]) -> None:
    """Serve until standard input ends."""
    gates = {fd: asyncio.Event() for fd in listeners}
    async with contextlib.AsyncExitStack() as stack:
        for fd, gate in gates.items():
            gate.set()
            await stack.enter_async_context(await _serve(fd, gate))
        print("ready", flush=True)
        orders = await _orders()
        while order := (await orders.readline()).decode().split():
            word, fd = order[0], int(order[1])
            gates[fd].clear() if word == "slow" else gates[fd].set()
        for gate in gates.values():
            gate.set()


async def _serve(fd: int, gate: asyncio.Event) -> asyncio.Server:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(WORK_S)
        await gate.wait()
        writer.write(ANSWER)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return await asyncio.start_server(answer, sock=socket.socket(fileno=fd), backlog=BACKLOG)


async def _orders() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    asyncio.run(main([int(fd) for fd in sys.argv[1:]]))
