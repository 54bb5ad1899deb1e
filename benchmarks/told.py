"""From the crossing in the kernel to the page at its receiver: an alarm end to end, everything real.

    python -m benchmarks.told [--pools 20] [--write]

An agent at its defaults, a collector over SQLite, the built-in rules, a webhook; as root. Each pool is in a namespace
of its own, as `portgauge-agent drill` makes it, and is filled to 95 % at a moment of its own.
"""

import argparse
import json
import queue
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from agent.drill.ground import Ground
from benchmarks.alerting import percentiles
from benchmarks.document import measured_by, write_section
from tests.agent_process import AnAgent, until
from tests.collector_process import a_token, migrated, serving
from tests.secret import a_secret

PORTS, CROSSING, FULL, RATE = 100, 85, 95, 100.0
PATIENCE_S = 60.0
SPREAD_S = 10.0
LATEST_S = 3.0
HOST = "lb1"


@contextmanager
def pages() -> Iterator[tuple[str, "queue.Queue[tuple[dict[str, Any], int]]"]]:
    """A webhook that keeps each notice with the ms at which it came."""
    taken: queue.Queue[tuple[dict[str, Any], int]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            now_ms = time.time_ns() // 1_000_000
            taken.put((json.loads(self.rfile.read(int(self.headers["Content-Length"]))), now_ms))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", taken
        server.shutdown()
        thread.join()


def measure(count: int) -> list[float]:
    """Seconds from each pool's crossing of 85 % to its page."""
    with ExitStack() as stack:
        # Before there are threads: each of these forks.
        addresses = [f"127.77.{number // 250}.{number % 250 + 1}" for number in range(count)]
        grounds = [stack.enter_context(Ground(address, PORTS)) for address in addresses]
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portgauge-told-")))
        url, taken = stack.enter_context(pages())
        database, config = migrated(place), place / "collector.toml"
        config.write_text(f'[[channel]]\nname = "hook"\nurl = "{url}"\n')
        reader = a_token(database, "--scope", "read")
        agent = AnAgent(place / "agent", {})
        a_secret(agent.token, a_token(database, "--scope", "push", "--host", HOST))
        collector = stack.enter_context(serving(database, "--config", config))
        stack.callback(agent.end)
        lines = {"collector": collector.url, "token_file": str(agent.token), "spool_dir": str(place), "host": HOST}
        agent.config.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items()))
        for ground in grounds:
            ground.fill([1], RATE)
        agent.start()
        until(lambda: all(address in str(collector.get("/v1/pools?limit=10000", reader)) for address in addresses))
        crossed = dict(zip(addresses, crossings(grounds), strict=True))
        told = told_ms(taken, set(addresses))
        return [(told[address] - crossed[address]) / 1000 for address in addresses]


def crossings(grounds: Sequence[Ground]) -> list[int]:
    """Fill each at a moment of its own; answers the ms at which each crossed."""
    for ground in grounds:
        time.sleep(random.uniform(0, 2 * SPREAD_S / len(grounds)))
        ground.fill([CROSSING, FULL], RATE)
    return [crossed_ms(ground) for ground in grounds]


def crossed_ms(ground: Ground) -> int:
    """When the kernel lent the port that crossed the level."""
    while True:
        for event in ground.events(PATIENCE_S):
            if event.get("held") == CROSSING:
                return int(event["at_ms"])


def told_ms(taken: "queue.Queue[tuple[dict[str, Any], int]]", wanted: set[str]) -> dict[str, int]:
    """When each pool's first page came."""
    told: dict[str, int] = {}
    while wanted - told.keys():
        document, at_ms = taken.get(timeout=PATIENCE_S)
        if document["severity"] == "page" and document["state"] == "firing":
            told.setdefault(document["peer_ip"], at_ms)
    return told


def report(delays: Sequence[float]) -> str:
    """One line of figures, and the bar. Pure; seconds, in any order."""
    middle, most, worst = percentiles(delays)
    told = f"{middle:.2f} s (p50), {most:.2f} s (p99), {worst:.2f} s (worst)"
    verdict = "met" if most <= LATEST_S else "**MISSED**"
    return f"- {len(delays)} crossings in the kernel: page after {told}\n- {verdict} (bar: ≤ {LATEST_S:.0f} s at p99)"


def main() -> int:
    """Print the figures, and with --write put them into docs/performance.md; a missed bar is exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pools", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    args = parser.parse_args()
    delays = sorted(measure(args.pools))
    text = report(delays)
    print(f"{text}\n- each: {' '.join(f'{one:.1f}' for one in delays)}")
    if args.write:
        write_section("told", f"{measured_by('benchmarks.told')}\n\n{text}")
    return 0 if percentiles(delays)[1] <= LATEST_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
