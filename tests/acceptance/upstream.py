"""A web server behind a proxy, which leaves it to the proxy to close.

    python -m tests.acceptance.upstream ADDRESS PORT

Prints `ready`. It answers every request at once, but for SLOW, which it takes and never answers. Whatever the proxy
says of keeping the connection, it stays open here until the other side closes: so the TIME_WAIT is the proxy's.
"""

import asyncio
import contextlib
import sys

SLOW = "/slow"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer request after request; none of them has a body."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            if f" {SLOW} ".encode() not in request:
                writer.write(ANSWER)
    writer.close()


async def main(address: str, port: int) -> None:
    """Serve until ended."""
    async with await asyncio.start_server(converse, address, port) as server:
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
