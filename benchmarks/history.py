"""What history takes: bytes a reading in each tier, and what encoding and reading costs, for a mixed host.

    python -m benchmarks.history [--pools 50] [--hours 6] [--write]

Beside it, where Debian's promtool is installed, the block that Prometheus makes of one value of each of the same
readings (held), where ours has all of them: range, capacity, headroom, states, failures.
"""

import argparse
import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from benchmarks.document import measured_by, write_section
from benchmarks.mixed import pool_of, snapshots
from collector.compaction import Compaction
from collector.fleet.host import Arrival
from collector.history import codec, rollup
from collector.history.chunk import POOLS, Chunk
from collector.history.gather import Body, gather, unpack
from collector.history.settle import LATE_MS
from collector.history.tiers import HOUR_MS, MINUTE_MS, RAW
from collector.ingest.record import record
from collector.metrics import Metrics
from collector.storage.database import Database, database
from collector.storage.location import locate
from collector.storage.schema import migrate
from shared import wire
from shared.heap import keep_what_is_given_back
from shared.model import Pool

FROM_MS = 1_795_305_600_000
EVERY_MS = 10_000
SETTLED_HOSTS = 96
T = TypeVar("T")


def main() -> None:
    """Measure, print, and write if told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pools", type=int, default=50)
    parser.add_argument("--hours", type=int, default=6, help="a multiple of 6 fills the chunks by the minute")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    keep_what_is_given_back()  # As the collector does.
    found = measured(arguments.pools, arguments.hours)
    print(found)
    if arguments.write:
        write_section("history", f"{found}\n\n{measured_by('benchmarks.history')}")


def measured(pools: int, hours: int) -> str:
    """The table."""
    instants = hours * HOUR_MS // EVERY_MS
    readings = pools * instants
    bodies, hot = _bodies(pools, instants)
    ids = {pool_of(number): number + 1 for number in range(pools)}
    raw, gather_s = _timed(lambda: [gather(some, ids) for some in bodies])
    packed, encode_s = _timed(lambda: [codec.encode(chunk) for chunk in raw])
    _, decode_s = _timed(lambda: [codec.decode(body) for body in packed])
    _, row_s = _timed(lambda: [codec.Reader(body).row(POOLS, 1) for body in packed])
    minutes = _minutes(raw, {number: pool for pool, number in ids.items()})
    hourly = rollup.rolled_again([minutes], HOUR_MS)
    rows = [
        ("hot log, as received", hot, readings),
        ("raw chunks, 10 minutes each", sum(map(len, packed)), readings),
        ("minutes: min, sum, max, …", len(codec.encode(minutes)), pools * hours * 60),
        ("hours: the same", len(codec.encode(hourly)), pools * hours),
    ]
    rows += [("Prometheus block, one value", size, readings) for size in _prometheus(raw)]
    lines = [
        f"A host of {pools} pools, each {EVERY_MS // 1000} s for {hours} h.",
        "",
        "| | bytes a reading |",
        "|---|---|",
    ]
    lines += [f"| {name} | {size / count:.2f} |" for name, size, count in rows]
    costs = (("bodies to columns", gather_s), ("encode", encode_s), ("decode", decode_s))
    lines += ["", "| | µs a reading |", "|---|---|"]
    lines += [f"| {name} | {took / readings * 1e6:.2f} |" for name, took in costs]
    whole = asyncio.run(_settling_us(pools))
    lines.append(f"| all of it, from a SQLite log of {SETTLED_HOSTS} hosts to raw chunks (CPU) | {whole:.2f} |")
    lines += ["", f"One pool of a chunk is read in {row_s / len(packed) * 1e6:.0f} µs."]
    return "\n".join(lines)


def _bodies(pools: int, instants: int) -> tuple[list[list[Body]], int]:
    known: dict[object, tuple[Pool, ...]] = {}
    windows: dict[int, list[Body]] = {}
    size = 0
    for snapshot in snapshots("lb-history", pools, instants, from_ms=FROM_MS, every_ms=EVERY_MS):
        body, at_ms = wire.encode(snapshot), snapshot.taken_at_ms
        size += len(body)
        windows.setdefault(RAW.start_of(at_ms), []).append(unpack(snapshot.seq, at_ms, at_ms + 5, body, known))
    return list(windows.values()), size


def _minutes(raw: Sequence[Chunk], named: dict[int, Pool]) -> Chunk:
    return rollup.rolled(raw, MINUTE_MS, named)


async def _settling_us(pools: int) -> float:
    """CPU of the process for each reading of one window of many hosts, through the collector's own compaction."""
    instants = RAW.span_ms // EVERY_MS
    now_ms = FROM_MS + RAW.span_ms + LATE_MS + EVERY_MS
    with tempfile.TemporaryDirectory() as folder:
        location = locate(str(Path(folder) / "history.db"))
        await migrate(location)
        async with database(location) as db:
            await _fill(db, pools, instants)
            compaction = Compaction(db=db, keep_raw_ms=2**40, metrics=Metrics(), clock=lambda: now_ms)
            began_s = time.process_time()
            while await compaction.compact():
                pass
            return (time.process_time() - began_s) / (SETTLED_HOSTS * pools * instants) * 1e6


async def _fill(db: Database, pools: int, instants: int) -> None:
    """A log as a fleet that reports in turn leaves it, all of it judged. All hosts tell the same, of the same pools."""
    for snapshot in snapshots("lb-history", pools, instants, from_ms=FROM_MS, every_ms=EVERY_MS):
        named = [replace(snapshot, host=f"lb-{number:03d}") for number in range(SETTLED_HOSTS)]
        arrivals = [Arrival(one, wire.encode(one), one.taken_at_ms + 5) for one in named]
        async with db.writing() as connection:
            await record(connection, arrivals)
    async with db.writing() as connection:
        await connection.execute(text("UPDATE cursor SET hot_id = 1000000000 WHERE name = 'evaluation'"))


def _timed(work: Callable[[], list[T]]) -> tuple[list[T], float]:
    began = time.perf_counter()
    made = work()
    return made, time.perf_counter() - began


def _prometheus(raw: Sequence[Chunk]) -> list[int]:
    """Bytes of the blocks promtool makes of `held`; nothing where it is not installed."""
    if not shutil.which("promtool"):
        return []
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "held.om"
        with told.open("w", encoding="utf-8") as file:
            file.write("# TYPE held gauge\n")
            for row in range(len(raw[0].tables[POOLS].keys)):
                labels = f'host="lb-history",netns="host",local="10.0.0.1",peer="10.1.0.{row}",port="8080"'
                for chunk in raw:
                    held = chunk.tables[POOLS].column("held")[row].tolist()
                    pairs = zip(chunk.times.tolist(), held, strict=True)
                    file.writelines(f"held{{{labels}}} {value} {at_ms / 1000}\n" for at_ms, value in pairs)
            file.write("# EOF\n")
        made = Path(folder) / "blocks"
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(told), str(made)]
        subprocess.run(command, check=True, capture_output=True)
        return [sum(one.stat().st_size for one in made.rglob("*") if one.is_file())]


if __name__ == "__main__":
    main()
