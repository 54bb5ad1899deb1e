"""What the libraries' Python fallbacks cost an agent that runs on them. `python -m benchmarks.plain [--pushes 200]`.

The single file and the Debian package carry no compiled modules. Here a child process, with them and without, packs a
snapshot of 200 pools and posts it to an HTTP server in another process, again and again over one connection; CPU time
of the child, user and system, by push. Then its memory, and the CPU time of starting `run --help`, which loads it all.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from multiprocessing import Process, Queue

from aiohttp import ClientSession, web

from shared import wire
from shared.model import Snapshot
from tests.builders import a_pool, a_reading, a_snapshot

POOLS = 200
WARM_UP = 20
FALLBACKS = {
    f"{library}_{word}": "1"
    for library, word in [
        ("AIOHTTP", "NO_EXTENSIONS"),
        ("FROZENLIST", "NO_EXTENSIONS"),
        ("MULTIDICT", "NO_EXTENSIONS"),
        ("PROPCACHE", "NO_EXTENSIONS"),
        ("YARL", "NO_EXTENSIONS"),
        ("MSGPACK", "PUREPYTHON"),
    ]
}
"""Each library's own word for it. One small module stays compiled: aiohttp's writer of headers knows no such word."""


def crowded() -> Snapshot:
    """As many pools as an agent lists by default."""
    return a_snapshot(*(a_reading(100 + port % 100, pool=a_pool(port)) for port in range(9000, 9000 + POOLS)))


def serve(told: "Queue[int]") -> None:
    """Take whatever comes, and tell the port."""

    async def taken(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"accepted": True, "config_revision": 0})

    async def forever() -> None:
        app = web.Application()
        app.router.add_post("/v1/snapshots", taken)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        told.put(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(forever())


async def push(port: int, pushes: int) -> float:
    """CPU milliseconds a push."""
    snapshot, url = crowded(), f"http://127.0.0.1:{port}/v1/snapshots"
    headers = {"Content-Type": wire.CONTENT_TYPE, "Authorization": "Bearer made-up"}
    async with ClientSession() as session:
        for one in range(WARM_UP + pushes):
            if one == WARM_UP:
                began_s = time.process_time()
            async with session.post(url, data=wire.encode(snapshot), headers=headers) as answer:
                await answer.json()
    return 1000 * (time.process_time() - began_s) / pushes


def child(port: int, pushes: int) -> None:
    """Push, and print what it took."""
    cpu_ms = asyncio.run(push(port, pushes))
    print(f"{cpu_ms:10.2f} ms a push {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.1f} MB", end="")


def starting_ms(environment: dict[str, str]) -> float:
    """CPU milliseconds of a start that loads everything."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "agent", "run", "--help"]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.port:
        child(told.port, told.pushes)
        return
    ports: Queue[int] = Queue()
    server = Process(target=serve, args=(ports,), daemon=True)
    server.start()
    port = ports.get()
    for name, chosen in {"compiled": {}, "plain Python": FALLBACKS}.items():
        environment = {**os.environ, **chosen}
        print(f"{name:<14}", end="", flush=True)
        command = [sys.executable, "-m", "benchmarks.plain", "--port", str(port), "--pushes", str(told.pushes)]
        subprocess.run(command, env=environment, check=True)
        print(f" {starting_ms(environment):8.0f} ms a start")
    server.terminate()


if __name__ == "__main__":
    main()
