"""Says regularly that the collector lives, where a channel wants to hear it: a dead man's switch.

Only while it evaluates: a process that merely runs is not what people rely on.
"""

import logging
from collections.abc import Callable
from typing import Any

from collector.notify.channel import Channel, DeliveryFailed
from collector.storage.outbox import Owed
from shared.logs import fields

ALIVE_MS = 30_000
"""An evaluation that has not ended a round for so long is not alive."""
log = logging.getLogger(__name__)


class Heartbeat:
    """Tells one channel. `evaluated_ms` is when the last round of the evaluation ended."""

    def __init__(self, channel: Channel, *, clock: Callable[[], int], evaluated_ms: Callable[[], int]) -> None:
        self._channel, self._clock, self._evaluated_ms = channel, clock, evaluated_ms

    async def beat(self) -> bool:
        """Say it once, if it is true. What is not taken is not tried again: the next beat comes soon enough."""
        now_ms = self._clock()
        if now_ms - self._evaluated_ms() > ALIVE_MS:
            log.error("no heartbeat: the evaluation does not end its rounds", extra=fields(channel=self._channel.name))
            return False
        try:
            await self._channel.send(Owed(0, f"heartbeat-{now_ms}", document(now_ms), now_ms, 0))
        except DeliveryFailed as error:
            log.warning("heartbeat not taken", extra=fields(channel=self._channel.name, why=error))
        return False


def document(now_ms: int) -> dict[str, Any]:
    """What a webhook receives."""
    words = "portgauge is alive; call somebody when this stops"
    return {"state": "heartbeat", "severity": "none", "at_ms": now_ms, "summary": words, "text": words}
