"""Near-miss reports, owed once whoever leads."""

import pytest

from collector.alerts.digest import DAILY, WEEKLY, thread_of
from collector.digests import Digests
from collector.history.tiers import DAY_MS, HOUR_MS
from collector.metrics import Metrics
from collector.notify.delivery import Delivery
from collector.notify.log import LogChannel
from collector.storage import leadership, outbox
from collector.storage.database import Database, database
from collector.storage.errors import Superseded
from collector.storage.location import Location
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

SEVEN = 7 * 60
MONDAY_SEVEN_MS = NOON_MS + 19 * HOUR_MS
"""2026-11-23 07:00."""


def digests(collector: Collecting, db: Database | None = None, rung: list[bool] | None = None) -> Digests:
    takers = {DAILY: ("log", "ops"), WEEKLY: ("log",)}
    return Digests(
        db or collector.db,
        takers,
        at_minute=SEVEN,
        public_url="http://portgauge.example/",
        clock=collector.clock,
        on_notice=lambda: rung.append(True) if rung is not None else None,
    )


async def owed(collector: Collecting) -> list[tuple[str, str]]:
    """(kind, channel) of each report."""
    kinds = {thread_of(kind): kind for kind in (DAILY, WEEKLY)}
    async with collector.db.reading() as connection:
        listed = await outbox.listing(connection, limit=100)
    return sorted((kinds[one.document["alert"]], one.channel) for one in listed)


async def lived(collector: Collecting) -> None:
    """A Sunday: one pool was nearly full at noon, one never near."""
    await collector.push(a_snapshot(a_reading(291), a_reading(30, pool=a_pool(9002)), taken_at_ms=NOON_MS))
    collector.clock.turn(3_600)
    await collector.compact()


WHOLE = [(DAILY, "log"), (DAILY, "ops"), (WEEKLY, "log")]


async def test_it_is_owed_at_its_time_with_what_history_knows(collector: Collecting) -> None:
    await lived(collector)
    rung: list[bool] = []
    collector.clock.now_ms = MONDAY_SEVEN_MS - 1
    assert await digests(collector, rung=rung).look() is False
    assert (await owed(collector), rung) == ([], [])
    collector.clock.turn(1)
    await digests(collector, rung=rung).look()
    assert (await owed(collector), len(rung)) == (WHOLE, 2)
    told = (await collector.get("/v1/notices", channel="ops"))["items"]
    assert [one["state"] for one in told] == ["report"]
    assert told[0]["summary"] == (
        "Near misses of 2026-11-22 (UTC): one pool was half full or more, the fullest at 97 %:"
        " lb1: 127.0.0.1 -> 127.0.0.1:9001"
    )


async def test_a_restart_and_every_further_look_owe_nothing_again(collector: Collecting) -> None:
    collector.clock.now_ms = MONDAY_SEVEN_MS
    await digests(collector).look()
    for _ in range(3):
        collector.clock.turn(3_600)
        await digests(collector).look()
    assert await owed(collector) == WHOLE


async def test_what_was_told_is_not_told_again_once_the_outbox_forgets(collector: Collecting) -> None:
    """A short retention empties the outbox within the twelve hours in which a report may still be made."""
    collector.clock.now_ms = MONDAY_SEVEN_MS
    await digests(collector).look()
    async with collector.db.writing() as connection:
        for channel in ("log", "ops"):
            for one in await outbox.due(connection, channel, collector.clock(), 10):
                await outbox.record_delivered(connection, one, collector.clock(), "taken")
        await outbox.prune(connection, collector.clock() + DAY_MS)
    await digests(collector).look()
    found = await owed(collector)
    assert found == sorted(set(found))
    async with collector.db.reading() as connection:
        assert await outbox.count_owed(connection) == {}


async def test_of_two_leaders_one_tells(location: Location, collector: Collecting) -> None:
    """The first is paused between making its report and owing it, and wakes when the second has told."""
    collector.clock.now_ms = MONDAY_SEVEN_MS
    async with collector.db.writing() as connection:
        first = await leadership.begin(connection, "first")
    async with database(location) as other:
        async with other.writing() as connection:
            second = await leadership.begin(connection, "second")
        await digests(collector, leadership.fenced(other, second)).look()
        assert await owed(collector) == WHOLE
        collector.clock.turn(86_400)
        with pytest.raises(Superseded):
            await digests(collector, leadership.fenced(collector.db, first)).look()
        assert await owed(collector) == WHOLE


async def test_a_channel_takes_it_like_any_notice(collector: Collecting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    collector.clock.now_ms = MONDAY_SEVEN_MS
    await digests(collector).look()
    delivery = Delivery(collector.db, LogChannel(), Metrics(), clock=collector.clock)
    while await delivery.deliver():
        pass
    assert "Near misses of 2026-11-22 (UTC): unknown, history holds nothing of that time" in caplog.text
