"""The outbox, fed to channels."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from collector.metrics import Metrics
from collector.notify.channel import DeliveryFailed
from collector.notify.delivery import Delivery
from collector.storage import outbox
from collector.storage.database import Database
from collector.storage.outbox import Owed
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting, collecting


@dataclass
class Scripted:
    """A channel that fails as it is told, then takes everything."""

    failures: list[DeliveryFailed] = field(default_factory=list)
    name: str = "webhook"
    timeout_s: float = 1.0
    taken: list[str] = field(default_factory=list)

    async def send(self, owed: Owed) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(f"{owed.document['state']} {owed.document['rule']}")
        return "HTTP 200"


def down() -> DeliveryFailed:
    return DeliveryFailed("HTTP 503", is_permanent=False)


@pytest.fixture
async def owing(db: Database) -> AsyncIterator[Collecting]:
    """A collector that owes two firing notices to the log and a webhook."""
    async with collecting(db, channels=("log", "webhook")) as collector:
        await collector.push(a_snapshot(a_reading(290), a_reading(220, pool=a_pool(9002))))
        await collector.evaluate()
        yield collector


async def deliver(collector: Collecting, channel: Scripted) -> None:
    delivery = Delivery(collector.db, channel, Metrics(), clock=collector.clock)
    while await delivery.deliver():
        pass


async def owed(collector: Collecting) -> dict[str, int]:
    async with collector.db.reading() as connection:
        return await outbox.count_owed(connection)


async def test_what_is_owed_is_sent_in_order_and_once(owing: Collecting) -> None:
    channel = Scripted()
    await deliver(owing, channel)
    await deliver(owing, channel)
    assert channel.taken == ["firing warm", "firing hot"]
    assert await owed(owing) == {"log": 2}


async def test_a_dead_channel_holds_up_no_other(owing: Collecting) -> None:
    await deliver(owing, Scripted([down(), down()]))
    log = Scripted(name="log")
    await deliver(owing, log)
    assert len(log.taken) == 2
    assert await owed(owing) == {"webhook": 2}


async def test_a_passing_failure_is_tried_again_after_a_while(owing: Collecting) -> None:
    channel = Scripted([down(), down()])
    await deliver(owing, channel)
    owing.clock.turn(0.4)
    await deliver(owing, channel)
    assert channel.taken == []
    owing.clock.turn(0.7)
    await deliver(owing, channel)
    assert channel.taken == ["firing warm", "firing hot"]


async def test_whoever_slept_since_it_claimed_a_notice_leaves_it_to_whoever_claims_it_next(owing: Collecting) -> None:
    """A paused process that wakes past its lease would tell what the next leader has told by then."""

    class Sleepy:
        """A clock that jumps whenever somebody has claimed something."""

        def __init__(self) -> None:
            self.looks = 0

        def __call__(self) -> int:
            self.looks += 1
            return owing.clock() + (60_000 if self.looks == 3 else 0)

    channel = Scripted()
    asleep = Delivery(owing.db, channel, Metrics(), clock=Sleepy())
    await asleep.deliver()
    assert channel.taken == ["firing hot"]
    await deliver(owing, channel)
    assert channel.taken == ["firing hot"]
    owing.clock.turn(12)
    await deliver(owing, channel)
    assert channel.taken == ["firing hot", "firing warm"]


async def test_a_lasting_failure_is_recorded_and_given_up(owing: Collecting) -> None:
    channel = Scripted([DeliveryFailed("HTTP 404", is_permanent=True)] * 2)
    await deliver(owing, channel)
    assert await owed(owing) == {"log": 2}
    async with owing.db.reading() as connection:
        rows = await connection.exec_driver_sql("SELECT succeeded, detail FROM attempt")
        assert [tuple(row) for row in rows] == [(0, "HTTP 404")] * 2


async def test_resolved_is_not_told_before_firing_was(owing: Collecting) -> None:
    channel = Scripted([down(), down()])
    await deliver(owing, channel)
    owing.clock.turn(0.1)
    await owing.push(a_snapshot(seq=2))
    await owing.evaluate()
    await deliver(owing, channel)
    assert channel.taken == []
    owing.clock.turn(2)
    await deliver(owing, channel)
    assert channel.taken == ["firing warm", "firing hot", "resolved warm", "resolved hot"]


async def test_a_day_of_failure_is_enough(owing: Collecting) -> None:
    owing.clock.turn(24 * 3_600)
    await deliver(owing, Scripted([down(), down()]))
    assert await owed(owing) == {"log": 2}
