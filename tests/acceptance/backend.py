"""One backend of the incident: a server that greets every connection and keeps it until the client says goodbye.

    python -m tests.acceptance.backend PORT

Prints `ready`. Like a WebSocket server it closes first (RFC 6455, section 7.1.1), so that the TIME_WAIT is its own and
holds no ephemeral port of the load balancer.
"""

import asyncio
import contextlib
import sys

GREETING = b"hello"
GOODBYE = b"bye"
BACKLOG = 1_024


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet, wait for any word or for the end, close."""
    writer.write(GREETING)
    with contextlib.suppress(ConnectionError):
        await reader.read(len(GOODBYE))
    writer.close()


async def main(port: int) -> None:
    """Serve until ended."""
    async with await asyncio.start_server(converse, "127.0.0.1", port, backlog=BACKLOG) as server:
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
