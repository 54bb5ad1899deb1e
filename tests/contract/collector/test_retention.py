"""Forgetting."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from collector.fleet.host import Arrival
from collector.history import codec
from collector.history.chunk import POOLS
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE, RAW, Keep
from collector.retention import BATCH, SLACK_MS, Retention
from collector.storage import chunks, hosts, hot, pools, tables
from collector.storage.chunks import Due
from collector.storage.database import AsyncConnection
from collector.storage.hot import Entry
from shared.model import Pool
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def kept(collector: Collecting) -> int:
    async with collector.db.reading() as connection:
        return len(await hot.newest_after(connection, 0, 10_000))


async def test_what_is_older_than_the_retention_goes_and_the_newest_stays(collector: Collecting) -> None:
    """A host that fell silent last week still says what it last saw."""
    await collector.push(*(a_snapshot(a_reading(), seq=seq) for seq in range(5)))
    retention = Retention(collector.db, Keep(raw_ms=HOUR_MS), clock=collector.clock)
    collector.clock.turn(3_600)
    assert await retention.prune() is False
    assert await kept(collector) == 5
    collector.clock.turn(0.001)
    await retention.prune()
    assert await kept(collector) == 1
    assert len((await collector.get("/v1/pools"))["items"]) == 1


async def test_it_goes_in_small_steps(collector: Collecting) -> None:
    """One large DELETE would keep a whole fleet waiting."""
    async with collector.db.writing() as connection:
        owner = (await hosts.ensure(connection, ["lb1"]))["lb1"].id
        await hot.append(
            connection, [Entry(owner, Arrival(a_snapshot(seq=n), b"", 1), is_newest=True) for n in range(BATCH + 1)]
        )
    retention = Retention(collector.db, Keep(raw_ms=HOUR_MS), clock=collector.clock)
    assert await retention.prune() is True
    assert await retention.prune() is False
    assert await kept(collector) == 0


async def test_the_story_of_an_alert_is_forgotten_with_its_data(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)), a_snapshot(a_reading(5), seq=2))
    await collector.evaluate()
    async with collector.db.writing() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET outcome = 'delivered', closed_ms = 1")
    collector.clock.turn(3_601)
    await Retention(collector.db, Keep(raw_ms=HOUR_MS), clock=collector.clock).prune()
    assert (await collector.get("/v1/transitions"))["items"] == []
    assert (await collector.get("/v1/alerts"))["items"] == []


async def raw_chunks(collector: Collecting) -> int:
    async with collector.db.reading() as connection:
        return len(await chunks.of_host(connection, RAW, 1, 0, 2**52))


async def test_chunks_go_when_their_time_is_over_and_nothing_is_made_from_them(collector: Collecting) -> None:
    start, due = RAW.start_of(collector.clock()), MINUTE.start_of(collector.clock())
    async with collector.db.writing() as connection:
        await chunks.put(connection, RAW, {(1, start): b"", (1, start + DAY_MS): b""})
        await chunks.owe(connection, [(Due(MINUTE, 1, due), 0)])
    retention = Retention(collector.db, Keep(), clock=collector.clock)
    collector.clock.turn((48 * HOUR_MS + SLACK_MS) / 1000)
    collector.clock.now_ms = start - start % DAY_MS + DAY_MS + 48 * HOUR_MS + SLACK_MS
    while await retention.prune():
        pass
    assert await raw_chunks(collector) == 2
    async with collector.db.writing() as connection:
        await chunks.settle(connection, Due(MINUTE, 1, due))
    while await retention.prune():
        pass
    assert await raw_chunks(collector) == 1


async def test_what_was_set_aside_goes_after_a_month_and_is_known_to_be_missing_for_as_long_as_there_is_history(
    collector: Collecting,
) -> None:
    start = RAW.start_of(collector.clock())
    async with collector.db.writing() as connection:
        await chunks.put(connection, RAW, {(1, start): b"broken"})
        await chunks.set_aside(connection, RAW, (1, start), "why", collector.clock())

    async def known() -> tuple[int, int]:
        await pruned(collector, Keep())
        async with collector.db.reading() as connection:
            kept, _ = await chunks.set_aside_in_all(connection)
            return kept, len(await chunks.aside(connection, start, start + 1))

    collector.clock.turn(29 * DAY_MS / 1000)
    assert await known() == (1, 1)
    collector.clock.turn(2 * DAY_MS / 1000)
    assert await known() == (0, 1)
    collector.clock.turn(700 * DAY_MS / 1000)
    assert await known() == (0, 0)


SHORT = Keep(raw_ms=HOUR_MS, minute_ms=8 * DAY_MS, hour_ms=8 * DAY_MS)


async def numbers(collector: Collecting) -> dict[Pool, int]:
    async with collector.db.reading() as connection:
        return (await pools.of_hosts(connection, [1]))[1]


async def told_of(collector: Collecting, seq: int, *ports: int) -> None:
    """A snapshot that lists these pools becomes history, and an empty one after it is what is newest."""
    now_ms = collector.clock()
    await collector.push(
        a_snapshot(*(a_reading(pool=a_pool(port)) for port in ports), seq=seq, taken_at_ms=now_ms),
        a_snapshot(seq=seq + 1, taken_at_ms=now_ms + 1),
    )
    collector.clock.turn(3_600)
    await collector.compact()


async def pruned(collector: Collecting, keep: Keep = SHORT) -> None:
    retention = Retention(collector.db, keep, clock=collector.clock)
    while await retention.prune():
        pass


async def test_a_pool_is_forgotten_with_the_last_chunk_that_names_it(collector: Collecting) -> None:
    """Hosts that change their backends all day must not fill the dictionary for ever."""
    await told_of(collector, 1, 9001, 9002)
    collector.clock.turn(8 * DAY_MS / 1000)
    await told_of(collector, 3, 9002)
    await collector.compact()
    await pruned(collector)
    assert sorted(pool.peer_port for pool in await numbers(collector)) == [9001, 9002]  # A partition still stands.
    collector.clock.turn(7 * DAY_MS / 1000)
    await told_of(collector, 5, 9002)
    await collector.compact()
    async with collector.db.writing() as connection:
        await chunks_before(connection, collector.clock() - 8 * DAY_MS)
    await pruned(collector)
    assert [pool.peer_port for pool in await numbers(collector)] == [9002]


async def chunks_before(connection: AsyncConnection, before_ms: int) -> None:
    """Drop old chunks to the row, as SQLite does: PostgreSQL would keep those of hours for 30 days more."""
    for table in (tables.chunk_raw, tables.chunk_minute, tables.chunk_hour):
        await connection.execute(delete(table).where(table.c.from_ms < before_ms))


async def test_a_pool_that_comes_back_between_two_looks_of_a_step_is_named_rightly(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number that was read first is no number any more when the chunk is made."""
    await told_of(collector, 1, 9001)
    [old] = (await numbers(collector)).values()
    collector.clock.turn(40 * DAY_MS / 1000)
    async with collector.db.writing() as connection:
        await chunks_before(connection, collector.clock())
    note = pools.note

    async def forgotten_first(*args: Any) -> Any:
        [connection, *_] = args
        assert await pools.prune(connection, collector.clock(), 9) == 1
        return await note(*args)

    monkeypatch.setattr("collector.compaction.pools.note", forgotten_first)
    await told_of(collector, 3, 9001)
    [new] = (await numbers(collector)).values()
    assert new > old
    async with collector.db.reading() as connection:
        found = await chunks.of_host(connection, RAW, 1, 0, 2**52)
    assert [codec.decode(body).tables[POOLS].keys.tolist() for _, body in found] == [[new]]


async def host_names(collector: Collecting) -> dict[str, bool]:
    """Every row, and whether it is forgotten."""
    async with collector.db.reading() as connection:
        rows = await connection.execute(select(tables.host.c.name, tables.host.c.forgotten_ms))
        return {row.name: row.forgotten_ms is not None for row in rows}


async def test_a_host_that_is_silent_longer_than_history_is_forgotten_and_later_gone(collector: Collecting) -> None:
    """Machines whose names last a day must not fill the table for ever."""
    await told_of(collector, 1, 9001)
    collector.clock.turn(60 * DAY_MS / 1000)
    await collector.push(a_snapshot(host="lb2", taken_at_ms=collector.clock()))
    await pruned(collector)
    assert await host_names(collector) == {"lb1": False, "lb2": False}  # A chunk still names it.
    async with collector.db.writing() as connection:
        await chunks_before(connection, collector.clock())
    await pruned(collector)
    assert await host_names(collector) == {"lb1": True, "lb2": False}
    collector.clock.turn(DAY_MS / 1000)
    await pruned(collector)
    assert await host_names(collector) == {"lb1": True, "lb2": False}
    collector.clock.turn(1)
    await pruned(collector)
    assert await host_names(collector) == {"lb2": False}
