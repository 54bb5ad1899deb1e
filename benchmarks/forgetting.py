"""What it costs SQLite to forget a day of chunks: rows deleted in batches, against unlinking a file of that size.

    python -m benchmarks.forgetting [--chunks 20000] [--directory DIR]

The file holds two days; one is deleted, then a third is written into the room it left.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from collector.history.tiers import DAY_MS, RAW
from collector.storage import chunks
from collector.storage.database import Database, database
from collector.storage.location import locate
from collector.storage.schema import migrate

CHUNK_BYTES = 5_000
BATCH = 200


async def measured(file: Path, count: int) -> None:
    """Print the figures."""
    location = locate(str(file))
    await migrate(location)
    async with database(location) as db:
        for day in (0, 1):
            await _fill(db, day, count)
        size = _mebibytes(file)
        took = await _forget(db)
        print(f"{count:,} chunks of {CHUNK_BYTES:,} bytes deleted, {BATCH} a transaction: {sum(took):.2f} s in all,")
        print(f"  longest {max(took) * 1e3:.0f} ms, median {statistics.median(took) * 1e3:.1f} ms")
        await _fill(db, 2, count)
        print(f"file {size:.0f} MiB; after another day {_mebibytes(file):.0f} MiB")


def unlinked(file: Path, size: int) -> float:
    """How long it takes to unlink a file of that size, in s."""
    file.write_bytes(os.urandom(size))
    os.sync()
    began = time.perf_counter()
    file.unlink()
    return time.perf_counter() - began


def _mebibytes(file: Path) -> float:
    return file.stat().st_size / 2**20


async def _fill(db: Database, day: int, count: int) -> None:
    made = {(n % 200, day * DAY_MS + n // 200 * RAW.span_ms): os.urandom(CHUNK_BYTES) for n in range(count)}
    async with db.writing() as connection:
        await chunks.put(connection, RAW, made)


async def _forget(db: Database) -> list[float]:
    took = []
    while True:
        began = time.perf_counter()
        async with db.writing() as connection:
            is_more = await chunks.drop(connection, RAW, DAY_MS, BATCH)
        took.append(time.perf_counter() - began)
        if not is_more:
            return took


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--directory", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        count = min(arguments.chunks, 28_800)
        asyncio.run(measured(Path(folder) / "history.db", count))
        took_s = unlinked(Path(folder) / "alone", count * CHUNK_BYTES)
        print(f"unlinking a file of that size: {took_s:.2f} s")


if __name__ == "__main__":
    main()
