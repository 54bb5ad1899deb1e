"""Questions over a filled store, asked of the API of a real collector, one after the other.

    python -m benchmarks.queries [--hosts 1000] [--pools 10] [--days 30] [--named 500000] [--database URL] [--write]

The store has `--days` of minutes of `--hosts` hosts of `--pools` pools, hours of the same, 24 hours of peaks of
`--named` pools, and as many days of histograms. Every chunk is a real one of a mixed host; twenty hosts have their own,
of which those asked for are chosen, the others have copies. Filling the default takes some minutes and 2 GB.

The first question waits until the collector rests: it has read the hosts by then. They report each hour, so none falls
silent meanwhile. A pool's trend is asked of another host each time; the fleet is asked the same again.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from sqlalchemy import insert

from benchmarks.document import measured_by, write_section
from benchmarks.ingest import cpu_of
from benchmarks.mixed import pool_of, walks
from collector.access.token import Scope, issue
from collector.history import codec, fleet, rollup
from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk, Ints, Table
from collector.history.fleet import BINS, BLOCK, MINUTES
from collector.history.tiers import DAY_MS, HOUR, HOUR_MS, MINUTE
from collector.storage import chunks, fleet_history, hosts, pools, tables, tokens
from collector.storage.database import Database, database
from collector.storage.location import locate
from collector.storage.schema import migrate
from shared.clock import wall_ms

OWN = 20
"""Hosts with chunks of their own."""
ROUNDS = 15
LOOKS, LOOK_S = 3, 1.0
IDLE_S = 0.1
"""CPU time within a look: an idle collector that knows 10,000 hosts takes less."""
SETTLING_S = 120


@dataclass(frozen=True, slots=True)
class Size:
    """How much is filled in."""

    hosts: int
    pools: int
    days: int
    named: int


def main() -> None:
    """Fill, ask, print, and write if told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--pools", type=int, default=10)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--named", type=int, default=500_000)
    parser.add_argument("--database", help="an empty PostgreSQL database; otherwise SQLite in a temporary directory")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    size = Size(arguments.hosts, arguments.pools, arguments.days, arguments.named)
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database or str(Path(folder) / "history.db")
        token = asyncio.run(filled(url, size))
        with serving(url) as (address, settling_s):
            text = asked(address, token, size, settling_s)
    print(text)
    if arguments.write:
        write_section("queries", f"{text}\n\n{measured_by('benchmarks.queries')}")


async def filled(url: str, size: Size) -> str:
    """Make and fill the database. Answers a token that reads."""
    location, began = locate(url), time.monotonic()
    await migrate(location)
    text, grant = issue(Scope.READ, None, wall_ms())
    now_ms = wall_ms()
    async with database(location) as db:
        async with db.writing() as connection:
            await tokens.add(connection, grant)
            names = [f"lb{number:05}" for number in range(max(size.hosts, size.named // 50))]
            made = list((await hosts.ensure(connection, names)).values())
            # Heard just now: a collector forgets those of which nothing was received for as long as it keeps anything.
            heard = [
                replace(host, last_seen_ms=now_ms, latest_received_ms=now_ms, interval_ms=HOUR_MS) for host in made
            ]
            await hosts.save(connection, heard)
            known = [host.id for host in made]
        await _name_pools(db, sorted(known), size, now_ms)
        await _fill_minutes(db, sorted(known)[: size.hosts], size, now_ms)
        await _fill_fleet(db, size, now_ms)
    print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return text


async def _name_pools(db: Database, ids: list[int], size: Size, now_ms: int) -> None:
    each = max(size.pools, -(-size.named // len(ids)))
    for start in range(0, len(ids), 200):
        async with db.writing() as connection:
            fresh = {host_id: {pool_of(number) for number in range(each)} for host_id in ids[start : start + 200]}
            await pools.add(connection, fresh, now_ms)


async def _fill_minutes(db: Database, ids: list[int], size: Size, now_ms: int) -> None:
    async with db.reading() as connection:
        numbers = {
            host_id: sorted((await pools.of_hosts(connection, [host_id]))[host_id].values()) for host_id in ids[:OWN]
        }
    for tier, days in ((MINUTE, size.days), (HOUR, size.days)):
        first = tier.start_of(now_ms - days * DAY_MS)
        for from_ms in range(first, now_ms - tier.span_ms, tier.span_ms):
            made = {
                host_id: codec.encode(_a_chunk(own[: size.pools], from_ms, tier.step_ms, tier.span_ms // tier.step_ms))
                for host_id, own in numbers.items()
            }
            bodies = list(made.values())
            async with db.writing() as connection:
                some = {(one, from_ms): made.get(one, bodies[one % len(bodies)]) for one in ids}
                await chunks.put(connection, tier, some)


def _a_chunk(numbers: list[int], from_ms: int, step_ms: int, steps: int) -> Chunk:
    """A roll-up of a mixed host: six readings a step."""
    established, waiting = walks(len(numbers), steps, from_ms // 1000 + numbers[0])
    high = established + waiting
    spread = np.random.default_rng(numbers[0]).integers(0, 40, high.shape)
    low, capacity = np.maximum(high - spread, 0), np.full(high.shape, 28_232)
    columns = {
        "count": np.full(high.shape, 6),
        "held.min": low,
        "held.sum": 6 * high - 3 * (high - low),
        "held.max": high,
        "capacity.min": capacity,
        "capacity.max": capacity,
        "headroom_min.min": capacity - high,
        "peak.max": rollup.peaks_of(high, capacity),
        "TIME_WAIT.max": waiting,
    }
    times = from_ms + np.arange(steps, dtype=np.int64) * step_ms
    return Chunk(times, ("", "host"), {POOLS: _table(numbers, columns), **_about(steps)})


def _about(steps: int) -> dict[str, Table]:
    six = np.full((1, steps), 6)
    ports = {
        f"{name}.{way}": np.full((1, steps), value)
        for name, value in (("low", 32_768), ("high", 60_999))
        for way in ("min", "max")
    }
    return {
        INSTANTS: _table([0], {"count": six}),
        NAMESPACES: _table([1], {"count": six, "complete.sum": six, **ports}),
    }


def _table(keys: list[int], columns: dict[str, Ints]) -> Table:
    values = np.stack(list(columns.values())).astype(np.int64)
    return Table(np.array(keys, np.int64), tuple(columns), np.ones(values.shape[1:], np.bool_), values)


async def _fill_fleet(db: Database, size: Size, now_ms: int) -> None:
    random, last = np.random.default_rng(1), now_ms - now_ms % HOUR_MS
    async with db.reading() as connection:
        highest = await pools.highest(connection)
    for hour in range(last - 23 * HOUR_MS, last + 1, HOUR_MS):
        places = {}
        for block in range(highest // BLOCK + 1):
            peaks = np.minimum(random.exponential(6_000, BLOCK), 65_000).astype(np.uint16) + 1
            places[hour, block] = np.where(np.arange(BLOCK) + block * BLOCK <= highest, peaks, 0).astype(np.uint16)
        async with db.writing() as connection:
            await fleet_history.raise_peaks(connection, places)
    shape = random.exponential(20, 200_000).astype(int)
    counts = np.bincount(np.minimum(shape, BINS - 1), minlength=BINS)
    for hour in range(last - size.days * DAY_MS, last + 1, HOUR_MS):
        noisy = counts + random.integers(0, 50, (MINUTES, BINS))
        row = {"from_ms": hour, "total": fleet.pack_counts(noisy.sum(axis=0)), "minutes": fleet.pack_counts(noisy)}
        async with db.writing() as connection:
            await connection.execute(insert(tables.fleet_hour).values(row))


@contextmanager
def serving(url: str) -> Iterator[tuple[str, float]]:
    """A collector over it, once it rests. Answers its address, and how many seconds of CPU it took to come to rest."""
    command = [sys.executable, "-m", "collector", "serve", "--listen", "127.0.0.1:0", "--database", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield line.rpartition(" ")[2].strip(), _settled(process.pid)
        finally:
            process.terminate()


def _settled(pid: int) -> float:
    """Wait until the process takes next to nothing, LOOKS times in a row. Answers the CPU seconds it has taken."""
    calm, before_s, deadline_s = 0, cpu_of(pid), time.monotonic() + SETTLING_S
    while calm < LOOKS:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the collector was not at rest after {SETTLING_S} s")
        time.sleep(LOOK_S)
        now_s = cpu_of(pid)
        calm, before_s = calm + 1 if now_s - before_s < IDLE_S else 0, now_s
    return before_s


def asked(address: str, token: str, size: Size, settling_s: float) -> str:
    """The table."""
    since = wall_ms() // 1000 - size.days * 86_400 + 43_200
    one = f"/v1/trend?host={{host}}&local=10.0.0.1&peer=10.1.0.3:8080&netns=host&from={since}&step="
    questions = (
        (f"one pool, {size.days} d, 6 h a point", f"{one}21600"),
        (f"one pool, {size.days} d, 30 min a point", f"{one}1800"),
        (f"top 50 of {size.named:,} pools, 24 h", "/v1/top?limit=50"),
        (f"p50, p95, p99 and maximum of the fleet, {size.days} d", f"/v1/fleet?from={since}"),
        ("who presses on one backend, 24 h", "/v1/peers?peer=10.1.0.3:8080"),
    )
    told = (
        f"{size.hosts:,} hosts of {size.pools} pools, {size.days} d of minutes; ms at the API, each asked {ROUNDS}"
        f" times, one after the other, once the collector is at rest: after {settling_s:.1f} s of CPU."
    )
    lines = [
        told,
        "",
        "| question | first | median | slowest |",
        "|---|---|---|---|",
    ]
    for name, path in questions:
        took = [_ask(address + path.format(host=f"lb{number:05}"), token) * 1e3 for number in range(ROUNDS)]
        lines.append(f"| {name} | {took[0]:.0f} | {statistics.median(took):.0f} | {max(took):.0f} |")
    return "\n".join(lines)


def _ask(url: str, token: str) -> float:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own address
    began = time.perf_counter()
    with urllib.request.urlopen(request) as response:  # noqa: S310
        body = response.read()
    took = time.perf_counter() - began
    document = json.loads(body)
    if not document.get("items", document.get("points")):
        raise RuntimeError(f"{url}: an empty answer")
    return took


if __name__ == "__main__":
    main()
