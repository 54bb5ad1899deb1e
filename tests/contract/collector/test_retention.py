"""Forgetting."""

from collector.fleet.host import Arrival
from collector.retention import BATCH, Retention
from collector.storage import hosts, hot
from collector.storage.hot import Entry
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def kept(collector: Collecting) -> int:
    async with collector.db.reading() as connection:
        return len(await hot.newest_after(connection, 0, 10_000))


async def test_what_is_older_than_the_retention_goes_and_the_newest_stays(collector: Collecting) -> None:
    """A host that fell silent last week still says what it last saw."""
    await collector.push(*(a_snapshot(a_reading(), seq=seq) for seq in range(5)))
    retention = Retention(collector.db, 1, clock=collector.clock)
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
    retention = Retention(collector.db, 1, clock=collector.clock)
    assert await retention.prune() is True
    assert await retention.prune() is False
    assert await kept(collector) == 0


async def test_the_story_of_an_alert_is_forgotten_with_its_data(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)), a_snapshot(a_reading(5), seq=2))
    await collector.evaluate()
    async with collector.db.writing() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET outcome = 'delivered', closed_ms = 1")
    collector.clock.turn(3_601)
    await Retention(collector.db, 1, clock=collector.clock).prune()
    assert (await collector.get("/v1/transitions"))["items"] == []
    assert (await collector.get("/v1/alerts"))["items"] == []
