"""From a report that crosses a level to the notice at its receiver: the collector's part of an alarm.

    python -m benchmarks.alerting [--crossings 100] [--write]

A real collector over SQLite, reports over HTTP, a webhook as the receiver, the built-in rules. Each crossing is another
host's pool at 90 %. What comes before, from the crossing in the kernel to the snapshot, is `benchmarks.crossing`.
"""

import argparse
import json
import queue
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.document import measured_by, write_section
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collector_process import a_token, migrated, serving

PATIENCE_S = 30.0


@contextmanager
def receiver() -> Iterator[tuple[str, "queue.Queue[tuple[str, float]]"]]:
    """A webhook that remembers which host was told of, and when."""
    taken: queue.Queue[tuple[str, float]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            now_s = time.monotonic()
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.put((document["host"], now_s))
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


def measure(crossings: int, pause_s: float = 0.2) -> list[float]:
    """Seconds from the start of each report to its notice."""
    delays = []
    with tempfile.TemporaryDirectory(prefix="portgauge-alerting-") as folder, receiver() as (url, taken):
        database, config = migrated(Path(folder)), Path(folder) / "collector.toml"
        config.write_text(f'[[channel]]\nname = "hook"\nurl = "{url}"\n')
        token = a_token(database, "--scope", "push")
        with serving(database, "--config", config) as collector:
            for number in range(crossings):
                pool = a_pool(8080, local="10.0.0.1", peer=f"10.9.{number // 250}.{number % 250 + 1}")
                host = f"lb{number}"
                snapshot = a_snapshot(a_reading(270, pool=pool), host=host, taken_at_ms=time.time_ns() // 1_000_000)
                began_s = time.monotonic()
                collector.push(replace(snapshot, boot_id=f"boot-{number}"), token)
                told, at_s = taken.get(timeout=PATIENCE_S)
                assert told == host, f"a notice about {told}, not {host}"  # noqa: S101 - the benchmark's own check
                delays.append(at_s - began_s)
                time.sleep(random.uniform(0, pause_s))
    return delays


def percentiles(delays: Sequence[float]) -> tuple[float, float, float]:
    """(p50, p99, the worst)."""
    cut = statistics.quantiles(delays, n=100, method="inclusive")
    return statistics.median(delays), cut[98], max(delays)


def main() -> int:
    """Print one line, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crossings", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    args = parser.parse_args()
    middle, most, worst = percentiles(measure(args.crossings))
    told = f"{middle * 1e3:.0f} ms (p50), {most * 1e3:.0f} ms (p99), {worst * 1e3:.0f} ms (worst)"
    print(f"{args.crossings} crossings: notice after {told}")
    if args.write:
        write_section("alerting", f"{measured_by('benchmarks.alerting')}\n\n- {args.crossings} crossings: {told}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
