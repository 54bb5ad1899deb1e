"""The dead man's switch."""

from dataclasses import dataclass, field

import pytest

from collector.notify.channel import DeliveryFailed
from collector.notify.heartbeat import ALIVE_MS, Heartbeat
from collector.storage.outbox import Owed
from tests.builders import NOON_MS


@dataclass
class Remembering:
    name: str = "ops"
    timeout_s: float = 1.0
    is_down: bool = False
    taken: list[str] = field(default_factory=list)

    async def send(self, owed: Owed) -> str:
        if self.is_down:
            raise DeliveryFailed("HTTP 503", is_permanent=False)
        self.taken.append(owed.document["state"])
        return "HTTP 200"


async def beat(channel: Remembering, *, evaluated_ms: int) -> bool:
    return await Heartbeat(channel, clock=lambda: NOON_MS, evaluated_ms=lambda: evaluated_ms).beat()


async def test_a_collector_that_evaluates_says_so() -> None:
    channel = Remembering()
    assert not await beat(channel, evaluated_ms=NOON_MS - 1_000)
    assert channel.taken == ["heartbeat"]


async def test_one_that_merely_runs_says_nothing() -> None:
    channel = Remembering()
    await beat(channel, evaluated_ms=NOON_MS - ALIVE_MS - 1)
    assert channel.taken == []


async def test_a_beat_that_is_not_taken_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await beat(Remembering(is_down=True), evaluated_ms=NOON_MS)
    assert "heartbeat not taken" in caplog.text
