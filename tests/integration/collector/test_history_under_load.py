"""kill -9 of the leader while it compacts and rolls up on PostgreSQL, under load: all is there, once, and adds up.

Five kills, or as many as it says: `PORTGAUGE_KILLS=20 python -m pytest tests/integration/collector -k under_load`.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from collector.compaction import AGAIN_MS, SPREAD_MS, Compaction
from collector.fleet.host import Arrival, Host
from collector.history import codec, fleet, rollup
from collector.history.chunk import Chunk
from collector.history.merge import names_of
from collector.history.tiers import HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Tier
from collector.ingest.record import record
from collector.metrics import Metrics
from collector.storage import chunks, fleet_history, hosts, pools
from collector.storage.database import AsyncConnection, Database, database
from collector.storage.location import locate
from shared import wire
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collector_process import a_token
from tests.hammer import Collectors, Hammer, require_each_once, wait_until
from tests.postgres import Cluster

KILLS = int(os.environ.get("PORTGAUGE_KILLS", "5"))
LEADERS = ("leader", "heir")
HOSTS, EACH = 40, 10 * KILLS
"""How many have a backlog, of how many snapshots twice: more than what is killed could settle."""
BACK_MS = 12 * HOUR_MS
"""So long ago all of it began: windows that are closed."""
STEP_MS = BACK_MS // (2 * EACH + 40)
"""Between two snapshots of one host. Every other one is of the second backlog, which is merged into chunks."""

pytestmark = pytest.mark.timeout(300 + 60 * KILLS)


def number_of(server: Cluster, query: str) -> int:
    return int(server.sql(query) or 0)


def settled(server: Cluster) -> int:
    """Snapshots that have left the log."""
    return number_of(server, "SELECT (SELECT sum(received) FROM host) - (SELECT count(*) FROM hot)")


def waiting(server: Cluster) -> int:
    """What is still to be done: snapshots in the log, and chunks that are due to be rolled up."""
    in_log, due = "SELECT count(*) FROM hot WHERE NOT is_settled", "SELECT count(*) FROM roll_due WHERE due_ms = 0"
    return number_of(server, in_log) + number_of(server, due)


async def add(url: str, part: int, began_ms: int) -> list[tuple[str, int]]:
    """Every other snapshot of many hosts, acknowledged. Answers what it is, by (host, seq)."""
    added = []
    async with database(locate(url)) as db:
        for seq in range(part, 2 * EACH, 2):
            at_ms = began_ms + seq * STEP_MS
            readings = [a_reading((seq + port) % 300, pool=a_pool(9_000 + port)) for port in range(3)]
            snapshots = [a_snapshot(*readings, host=f"edge{n}", seq=seq, taken_at_ms=at_ms) for n in range(HOSTS)]
            arrivals = [Arrival(one, wire.encode(one), began_ms + BACK_MS) for one in snapshots]
            async with db.writing() as connection:
                await record(connection, arrivals)
            added += [(one.host, seq) for one in snapshots]
    return added


def kill_at_work(server: Cluster, collectors: Collectors, chance: random.Random, after: int) -> bool:
    """Kill who leads, a moment after that began, or after a step of its work. True where there was work left."""
    before = settled(server)
    wait_until(lambda: epoch(server) > after, every_s=0.01)
    if chance.random() < 0.5:
        with suppress(AssertionError):  # It may be done, and rest.
            wait_until(lambda: settled(server) > before, within_s=5, every_s=0.01)
    time.sleep(chance.uniform(0.0, 0.4))
    left = waiting(server)
    name = collectors.named(int(server.sql("SELECT holder FROM leadership").split()[-1]))
    assert name, "somebody else leads"
    collectors.kill(name)
    return left > 0


def epoch(server: Cluster) -> int:
    return number_of(server, "SELECT epoch FROM leadership")


def started(server: Cluster, collectors: Collectors, chance: random.Random) -> int:
    """Start two that would lead, with all due that is owed. Answers the term before theirs."""
    server.sql("UPDATE roll_due SET due_ms = 0")
    term = epoch(server)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda name: collectors.start(name, "leader"), chance.sample(LEADERS, 2)))
    return term


def test_history_is_whole_however_often_its_leader_is_killed(server: Cluster, tmp_path: Path) -> None:
    began_ms = int(time.time() * 1000) - BACK_MS
    chance, interrupted, term = random.Random(KILLS), 0, 0
    acknowledged = Counter(asyncio.run(add(server.url(), 0, began_ms)))
    with ExitStack() as stack:
        collectors = Collectors(stack, server.url(), tmp_path)
        collectors.start("ingest", "ingest")

        def taken(_host: int, seq: int) -> int:
            """Every other one late: what was taken before it is already there, in a chunk it may be."""
            return began_ms + (seq ^ 1) * 5_000

        with Hammer(a_token(server.url(), "--scope", "push"), collectors.urls, taken) as hammer:
            for number in range(KILLS):
                if number == KILLS // 2:
                    acknowledged.update(asyncio.run(add(server.url(), 1, began_ms)))
                # The first of two is followed by the other at once; then both are started anew.
                term = term + 1 if number % 2 else started(server, collectors, chance)
                interrupted += kill_at_work(server, collectors, chance, term)
                if number % 4 == 1:
                    server.crash()
                    server.start()
                if number % 4 == 3:
                    collectors.kill_and_start("ingest")
                hammer.wait_for_more(5)
        collectors.end()
    acknowledged += hammer.acknowledged
    print(f"{KILLS} kills, {interrupted} of them with work left; {len(acknowledged):,} snapshots acknowledged")
    assert interrupted >= 1
    asyncio.run(judged(server.url(), acknowledged))


async def judged(url: str, acknowledged: Counter[tuple[str, int]]) -> None:
    """Finish what was interrupted, and compare everything with what was acknowledged, and with raw history."""
    async with database(locate(url)) as db:
        await finish(db)
        async with db.reading() as connection:
            everyone = await hosts.all_hosts(connection)
            raw = {host.name: await read(connection, RAW, host) for host in everyone}
            names = [(host, seq) for host, some in raw.items() for chunk in some for _, seq in names_of(chunk)]
            require_each_once(acknowledged, names)
            assert sum(host.received for host in everyone) == len(names)
            assert await read_text(connection, "SELECT count(*) FROM hot") == 0
            assert await read_text(connection, "SELECT count(*) FROM roll_due") == 0
            assert await read_text(connection, "SELECT count(*) FROM quarantine") == 0
            for host in everyone:
                await require_rolled_up(connection, host, raw[host.name])
            await require_added_up(connection, [chunk for some in raw.values() for chunk in some])


async def finish(db: Database) -> None:
    """All is judged, nobody's newest is kept, and time passes until nothing is due any more."""
    async with db.writing() as connection:
        await connection.execute(text("UPDATE cursor SET hot_id = 1000000000 WHERE name = 'evaluation'"))
        await connection.execute(text("UPDATE host SET latest_hot_id = 0, latest_good_hot_id = 0"))
        await connection.execute(text("UPDATE hot SET is_settled = false"))
    now_ms = int(time.time() * 1000)
    compaction = Compaction(db=db, keep_raw_ms=2**40, metrics=Metrics(), clock=lambda: now_ms)
    for tier in (RAW, MINUTE, HOUR):
        now_ms += tier.span_ms + SPREAD_MS + AGAIN_MS
        while await compaction.compact():
            pass


async def read_text(db: AsyncConnection, query: str) -> int:
    return int((await db.execute(text(query))).scalar_one())


async def read(db: AsyncConnection, tier: Tier, host: Host) -> list[Chunk]:
    return [codec.decode(body) for _, body in await chunks.of_host(db, tier, host.id, 0, 2**52)]


async def require_rolled_up(db: AsyncConnection, host: Host, raw: Sequence[Chunk]) -> None:
    """Minutes are what raw history says, hours what minutes say."""
    numbers = await pools.of_hosts(db, [host.id])
    named = {number: pool for pool, number in numbers[host.id].items()}
    minutes = await read(db, MINUTE, host)
    assert minutes == [rollup.rolled(some, MINUTE_MS, named) for some in by_span(raw, MINUTE)]
    assert await read(db, HOUR, host) == [rollup.rolled_again(some, HOUR_MS) for some in by_span(minutes, HOUR)]


def by_span(finer: Sequence[Chunk], tier: Tier) -> list[list[Chunk]]:
    found: dict[int, list[Chunk]] = {}
    for chunk in finer:
        found.setdefault(tier.start_of(int(chunk.times[0])), []).append(chunk)
    return [found[start] for start in sorted(found)]


async def require_added_up(db: AsyncConnection, raw: Sequence[Chunk]) -> None:
    """What is counted over the fleet is what all raw chunks say together."""
    counted = {hour: fleet.unpack_counts(body, fleet.MINUTES) for hour, body in await all_minutes(db)}
    expected: dict[int, np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
    for chunk in raw:
        for hour, counts in fleet.histogram(chunk).items():
            expected[hour] = expected[hour] + counts if hour in expected else counts
    assert sorted(counted) == sorted(expected)
    assert all(np.array_equal(counted[hour], counts) for hour, counts in expected.items())
    peaks = {(hour, block): fleet.unpack_peaks(body) for hour, block, body in await fleet_history.peaks(db, 0, 2**52)}
    highest = fleet.highest([fleet.peaks_by_hour(chunk) for chunk in raw])
    assert sorted(peaks) == sorted(highest)
    assert all(np.array_equal(peaks[place], block) for place, block in highest.items())


async def all_minutes(db: AsyncConnection) -> list[tuple[int, bytes]]:
    return await fleet_history.minutes(db, 0, 2**52)
