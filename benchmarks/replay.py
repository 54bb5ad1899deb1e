"""How long a replay takes over a large store, by the rules that are built in.

    python -m benchmarks.replay [--hosts 400] [--pools 10] [--hours 24] [--write]

Every host has chunks of its own of the raw tier, a report each ten seconds, of a mixed fleet (benchmarks.mixed) in
which half of the pools are used enough for a forecast. More than 100,000 hours of hosts are refused, as they are to
people. Memory is that of filling the store, too.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.document import measured_by, write_section
from benchmarks.mixed import pool_of, snapshots
from collector.alerts.builtin import BUILT_IN
from collector.history import codec
from collector.history.chunk import POOLS, Chunk
from collector.history.gather import gather, unpack
from collector.history.tiers import HOUR_MS, RAW, Keep, Reach
from collector.replay.past import prepared
from collector.replay.plan import Asked
from collector.storage import chunks, hosts, pools
from collector.storage.database import Database, database
from collector.storage.location import locate
from collector.storage.schema import migrate
from shared import wire
from shared.clock import wall_ms
from shared.model import Pool

EVERY_MS = 10_000
OWN = 8
"""Fleets of their own; hosts have one of them, with pools numbered anew."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is filled in."""

    hosts: int
    pools: int
    hours: int


@dataclass(slots=True)
class Outcome:
    """What the replay came to, and what it took."""

    reports: int = 0
    moments: int = 0
    took_s: float = 0.0
    cpu_s: float = 0.0
    """Of the whole process: a busy machine lets it wait, and does not make it work more."""
    longest_s: float = 0.0
    """Without a line of its answer."""


def main() -> None:
    """Fill, replay, print, and write if told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=400)
    parser.add_argument("--pools", type=int, default=10)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    size = Size(arguments.hosts, arguments.pools, arguments.hours)
    found = asyncio.run(measured(size))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"{size.hosts:,} hosts of {size.pools} pools, {size.hours} h by {len(BUILT_IN)} rules"
    each_us = found.cpu_s * 1e6 / found.reports
    pace = f"{found.reports:,} reports judged in {found.took_s:.0f} s, {each_us:.0f} µs of CPU each"
    told = f"{found.moments:,} changes of state told, never longer than {found.longest_s:.1f} s without a line"
    text = f"{what}: {pace}, {told}; at most {peak_mb:,.0f} MB."
    print(text)
    if arguments.write:
        write_section("replay", f"{text}\n\n{measured_by('benchmarks.replay')}")


async def measured(size: Size) -> Outcome:
    """Fill a store, and judge all that is in it."""
    with tempfile.TemporaryDirectory() as folder:
        location = locate(str(Path(folder) / "history.db"))
        await migrate(location)
        now_ms = RAW.start_of(wall_ms())
        async with database(location) as db:
            began_s = time.monotonic()
            await filled(db, size, now_ms)
            print(f"filled in {time.monotonic() - began_s:.0f} s", file=sys.stderr)
            return await replayed(db, size, now_ms)


async def replayed(db: Database, size: Size, now_ms: int) -> Outcome:
    """One replay of everything."""
    asked = Asked(rules=BUILT_IN, from_ms=now_ms - size.hours * HOUR_MS, to_ms=now_ms)
    replay, found = await prepared(db, asked, Reach(now_ms, Keep())), Outcome()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    last_s = began_s
    async for line in replay.lines():
        found.longest_s, last_s = max(found.longest_s, time.monotonic() - last_s), time.monotonic()
        found.moments += "moment" in line
        if "done" in line:
            found.reports = line["done"]["reports"]
    found.took_s, found.cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    return found


async def filled(db: Database, size: Size, now_ms: int) -> None:
    """Chunks of every host."""
    async with db.writing() as connection:
        made = list((await hosts.ensure(connection, [f"lb{number:05}" for number in range(size.hosts)])).values())
        heard = [msgspec.structs.replace(host, last_seen_ms=now_ms, latest_received_ms=now_ms) for host in made]
        await hosts.save(connection, heard)
        await pools.add(connection, {host.id: {pool_of(one) for one in range(size.pools)} for host in made})
        numbered = await pools.of_hosts(connection, [host.id for host in made])
    own = [fleet_of(name, size, now_ms) for name in range(min(OWN, size.hosts))]
    for from_ms in own[0]:
        bodies = {
            (host.id, from_ms): codec.encode(renumbered(own[place % len(own)][from_ms], numbered[host.id]))
            for place, host in enumerate(made)
        }
        async with db.writing() as connection:
            await chunks.put(connection, RAW, bodies)


def fleet_of(number: int, size: Size, now_ms: int) -> dict[int, Chunk]:
    """One mixed host over all of the time, as chunks whose pools are numbered as benchmarks.mixed numbers them."""
    known: dict[object, tuple[Pool, ...]] = {}
    ids = {pool_of(one): one for one in range(size.pools)}
    by_window: dict[int, list[object]] = {}
    instants = size.hours * HOUR_MS // EVERY_MS
    for snapshot in snapshots(f"lb{number:05}", size.pools, instants, from_ms=now_ms - size.hours * HOUR_MS):
        at_ms = snapshot.taken_at_ms
        body = unpack(snapshot.seq, at_ms, at_ms + 5, wire.encode(snapshot), known)
        by_window.setdefault(RAW.start_of(at_ms), []).append(body)
    return {from_ms: gather(bodies, ids) for from_ms, bodies in by_window.items()}  # type: ignore[arg-type] # Bodies


def renumbered(chunk: Chunk, numbers: dict[Pool, int]) -> Chunk:
    """The same of another host's pools."""
    table = chunk.tables[POOLS]
    keys = np.array([numbers[pool_of(int(one))] for one in table.keys], np.int64)
    order = np.argsort(keys)
    moved = replace(table, keys=keys[order], present=table.present[order], values=table.values[:, order])
    return replace(chunk, tables={**chunk.tables, POOLS: moved})


if __name__ == "__main__":
    main()
