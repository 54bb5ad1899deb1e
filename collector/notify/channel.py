"""What a channel is to the loop that feeds it."""

from typing import Protocol

from collector.storage.outbox import Owed
from shared.errors import PortgaugeError


class DeliveryFailed(PortgaugeError):
    """The channel did not take a notice. Only the channel knows whether trying again can help."""

    def __init__(self, detail: str, *, is_permanent: bool) -> None:
        super().__init__(detail)
        self.is_permanent = is_permanent


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """What the outbox calls it."""

    @property
    def timeout_s(self) -> float:
        """How long sending takes at most."""

    async def send(self, owed: Owed) -> str:
        """Hand the notice over; answer what to write down of it. Raises DeliveryFailed."""
