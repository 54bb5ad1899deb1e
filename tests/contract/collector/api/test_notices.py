"""GET /v1/notices."""

from collector.metrics import Metrics
from collector.notify.delivery import Delivery
from collector.notify.log import LogChannel
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_every_notice_is_listed_with_its_attempts(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(290)))
    await collector.evaluate()
    [owed] = (await collector.get("/v1/notices"))["items"]
    assert (owed["outcome"], owed["attempts"], owed["state"]) == ("owed", [], "firing")
    await Delivery(collector.db, LogChannel(), Metrics(), clock=collector.clock).deliver()
    [told] = (await collector.get("/v1/notices", channel="log"))["items"]
    assert told["outcome"] == "delivered"
    assert told["attempts"] == [{"at_ms": collector.clock(), "succeeded": True, "detail": "logged"}]
    assert (await collector.get("/v1/notices", channel="ops"))["items"] == []
