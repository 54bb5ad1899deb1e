"""Forgetting."""

from collector.fleet.host import Arrival
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE, RAW, Keep
from collector.retention import BATCH, SLACK_MS, Retention
from collector.storage import chunks, hosts, hot
from collector.storage.chunks import Due
from collector.storage.hot import Entry
from tests.builders import a_reading, a_snapshot
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
