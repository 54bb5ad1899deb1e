"""One transaction's worth of arrivals."""

import asyncio

from collector.fleet.host import Arrival, Host
from collector.ingest.record import Conflicting, record
from collector.storage import hosts, hot
from collector.storage.database import Database, database
from collector.storage.location import Location
from shared.model import Snapshot
from tests.builders import NOON_MS, a_failure, a_snapshot


async def recorded(db: Database, *snapshots: Snapshot, received_ms: int = NOON_MS) -> list[bool | Conflicting]:
    async with db.writing() as connection:
        return await record(connection, [Arrival(snapshot, b"body", received_ms) for snapshot in snapshots])


async def lb1(db: Database) -> Host:
    async with db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
    assert host
    return host


async def test_a_batch_may_hold_the_same_snapshot_twice(db: Database) -> None:
    assert await recorded(db, a_snapshot(), a_snapshot()) == [False, True]
    host = await lb1(db)
    assert (host.received, host.duplicates) == (1, 1)


async def test_a_batch_may_hold_a_new_host_s_backlog_in_any_order(db: Database) -> None:
    await recorded(db, a_snapshot(seq=3), a_snapshot(seq=1), a_snapshot(seq=2))
    host = await lb1(db)
    assert (host.last_seq, host.received, host.missing) == (3, 3, 0)
    async with db.reading() as connection:
        news = await hot.newest_after(connection, 0, 10)
    assert [logged.id for logged in news] == [host.latest_hot_id]


async def test_counters_outlive_the_batch(db: Database) -> None:
    await recorded(db, a_snapshot(seq=1))
    await recorded(db, a_snapshot(seq=4))
    await recorded(db, a_snapshot(seq=2))
    host = await lb1(db)
    assert (host.received, host.missing, host.last_seq) == (3, 1, 4)


async def test_a_good_snapshot_and_a_failure_in_one_batch_are_both_remembered(db: Database) -> None:
    await recorded(db, a_snapshot(seq=1), a_failure(seq=2))
    host = await lb1(db)
    assert host.failure is not None
    assert 0 < host.latest_good_hot_id < host.latest_hot_id


async def test_each_boot_counts_its_own_gaps(db: Database) -> None:
    await recorded(db, a_snapshot(boot_id="a", seq=1), a_snapshot(boot_id="a", seq=3))
    await recorded(db, a_snapshot(boot_id="b", seq=7, taken_at_ms=NOON_MS + 1), received_ms=NOON_MS + 1)
    await recorded(db, a_snapshot(boot_id="a", seq=2))
    host = await lb1(db)
    assert (host.boot_id, host.missing) == ("b", 0)


async def test_the_log_is_appended_to_by_one_at_a_time(postgresql_location: Location) -> None:
    """Its readers go by ids: one given out early and committed late would never be read."""
    async with database(postgresql_location) as here, database(postgresql_location) as there:
        async with here.writing() as first:
            await record(first, [Arrival(a_snapshot(), b"body", NOON_MS)])
            second = asyncio.create_task(recorded(there, a_snapshot(host="lb2")))
            await asyncio.sleep(0.2)
            assert not second.done()
        assert await second == [False]


async def test_two_collectors_keep_each_snapshot_once(postgresql_location: Location) -> None:
    snapshots = [a_snapshot(seq=seq) for seq in range(1, 21)]
    async with database(postgresql_location) as here, database(postgresql_location) as there:
        told = await asyncio.gather(*(recorded(db, snapshot) for snapshot in snapshots for db in (here, there)))
        host = await lb1(here)
    assert sum(outcome is True for [outcome] in told) == 20
    assert (host.received, host.duplicates, host.missing, host.last_seq) == (20, 20, 0, 20)
