"""kill -9 while the log becomes history: every snapshot is there, once, and what is counted over the fleet is right."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from collector.fleet.host import Arrival
from collector.history import codec, fleet
from collector.history.merge import names_of
from collector.history.tiers import HOUR_MS, RAW
from collector.ingest.record import record
from collector.storage import chunks, fleet_history, hosts
from collector.storage.database import Database, database
from collector.storage.location import Location, locate
from collector.storage.schema import migrate
from shared import wire
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot

HOSTS, EACH = 40, 30
ROUNDS = 8
COMPACT = """
import asyncio, sys
from collector.compaction import Compaction
from collector.metrics import Metrics
from collector.storage.database import database
from collector.storage.location import locate

async def main():
    async with database(locate(sys.argv[1])) as db:
        compaction = Compaction(db=db, keep_raw_ms=2**40, metrics=Metrics(), clock=lambda: int(sys.argv[2]))
        print("begun", flush=True)
        while await compaction.compact():
            pass
        print("done", flush=True)

asyncio.run(main())
"""


def an_arrival(host: int, seq: int, at_ms: int) -> Arrival:
    readings = [a_reading(host + seq, pool=a_pool(9_000 + number)) for number in range(3)]
    snapshot = a_snapshot(*readings, host=f"lb{host}", seq=seq, taken_at_ms=at_ms)
    return Arrival(snapshot, wire.encode(snapshot), at_ms)


async def filled(location: Location) -> None:
    """Hosts with ten minutes and more each, all judged."""
    await migrate(location)
    async with database(location) as db:
        for seq in range(EACH):
            at_ms = NOON_MS + seq * 40_000
            async with db.writing() as connection:
                await record(connection, [an_arrival(host, seq, at_ms) for host in range(HOSTS)])
        async with db.writing() as connection:
            await connection.exec_driver_sql("UPDATE cursor SET hot_id = 1000000 WHERE name = 'evaluation'")
            await connection.exec_driver_sql("UPDATE host SET latest_hot_id = 0, latest_good_hot_id = 0")


def compact_for(file: Path, seconds: float) -> bool:
    """Compact in a process of its own that is killed after so long. True where it was done before."""
    now_ms = NOON_MS + 12 * HOUR_MS
    command = [sys.executable, "-c", COMPACT, str(file), str(now_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        return "done" in process.stdout.read()


async def kept(db: Database) -> dict[str, list[int]]:
    """The numbers of the snapshots in each host's raw chunks."""
    async with db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
        return {
            host.name: [
                seq
                for _, body in await chunks.of_host(connection, RAW, host.id, 0, 2**52)
                for _, seq in names_of(codec.decode(body))
            ]
            for host in everyone
        }


async def in_log(db: Database) -> int:
    async with db.reading() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM hot")).scalar_one())


async def counted(db: Database) -> int:
    """Pool-minutes in the histograms."""
    async with db.reading() as connection:
        found = await fleet_history.minutes(connection, 0, 2**52)
    return sum(int(fleet.unpack_counts(body, fleet.MINUTES).sum()) for _, body in found)


async def test_every_snapshot_is_there_once_however_often_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    location = locate(str(file))
    await filled(location)
    moments = random.Random(7)
    for _ in range(ROUNDS):
        if await asyncio.to_thread(compact_for, file, moments.uniform(0.0, 0.25)):
            break
        async with database(location) as db:
            found = await kept(db)
            assert sum(map(len, found.values())) + await in_log(db) == HOSTS * EACH
    while not await asyncio.to_thread(compact_for, file, 3.0):
        pass
    async with database(location) as db:
        assert await kept(db) == {f"lb{host}": list(range(EACH)) for host in range(HOSTS)}
        assert await in_log(db) == 0
        assert await counted(db) == HOSTS * 3 * len({seq * 40_000 // 60_000 for seq in range(EACH)})
