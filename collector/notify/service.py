"""Everything else that reaches people (mail, Slack, PagerDuty, Telegram, …), through apprise."""

import asyncio
import logging

import apprise

from collector.notify.channel import DeliveryFailed
from collector.notify.settings import SERVICE_TIMEOUT_S, Resolved
from collector.storage.outbox import Owed
from shared.settings import InvalidValue

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # What it logs may hold the address, and so a secret.
_TYPES = {
    "page": apprise.NotifyType.FAILURE,
    "plan": apprise.NotifyType.WARNING,
}
_NO_ALERT = {"report": apprise.NotifyType.INFO}


class ServiceChannel:
    """One address of apprise. Raises InvalidValue, without the address, where apprise does not know it."""

    def __init__(self, resolved: Resolved) -> None:
        self.name = resolved.settings.name
        self.timeout_s = resolved.settings.timeout_s or SERVICE_TIMEOUT_S
        self._service = apprise.Apprise()
        if not self._service.add(resolved.url):
            raise InvalidValue("url", f"channel {self.name!r}: apprise does not know such an address")

    async def send(self, owed: Owed) -> str:
        """The sentence as the title, all lines as the body. apprise tells whether, not why."""
        told = owed.document
        kind = _TYPES.get(told.get("severity", ""), apprise.NotifyType.INFO)
        if told["state"] != "firing":
            kind = _NO_ALERT.get(told["state"], apprise.NotifyType.SUCCESS)
        try:
            async with asyncio.timeout(self.timeout_s):
                taken = await self._service.async_notify(title=told["summary"], body=told["text"], notify_type=kind)
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {self.timeout_s:g} s", is_permanent=False) from None
        if not taken:
            raise DeliveryFailed("the service did not take it", is_permanent=False)
        return "taken"
