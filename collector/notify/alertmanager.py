"""Alertmanager, API v2: what is open now, sent to every peer, and sent again for as long as it is.

An alert there is its labels: they are the same from an incident's first notice to its last. A client must repeat what
fires before `endsAt` has passed, and tell each of a cluster's peers, which do not pass alerts on to each other
(https://prometheus.io/docs/alerting/latest/clients/). So a notice is only the occasion: what is sent is all that is
open, and what ended within the last quarter of an hour, as Prometheus does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from collector.notify.channel import DeliveryFailed
from collector.notify.settings import TIMEOUT_S, Resolved
from collector.notify.webhook import explain, judge
from collector.storage.outbox import Owed
from shared.logs import fields

RESEND_S = 60.0
FIRES_FOR_MS = 5 * 60_000
"""How long Alertmanager believes that something fires after it was last told: four resends may be lost."""
ENDED_FOR_MS = 15 * 60_000
NAME = "portgauge"
log = logging.getLogger(__name__)
ALIVE = "portgauge-alive"

Documents = Callable[[str, int], Awaitable[Sequence[Mapping[str, Any]]]]
"""(channel, ended since ms) to the newest document of each incident that is open, or ended since then."""


class AlertmanagerChannel:
    """One Alertmanager, or all peers of a cluster. The session is the caller's to close."""

    def __init__(
        self, resolved: Resolved, session: ClientSession, clock: Callable[[], int], documents: Documents
    ) -> None:
        self.name = resolved.settings.name
        self.timeout_s = resolved.settings.timeout_s or TIMEOUT_S
        self._peers = peers_of(resolved.url)
        self._is_beating = resolved.settings.heartbeat_s > 0
        self._session, self._clock, self._documents = session, clock, documents

    async def send(self, owed: Owed) -> str:
        """Tell every peer all that is open, this notice included. One is enough: the others hear it again."""
        now_ms = self._clock()
        known = {one["alert"]: one for one in await self._documents(self.name, now_ms - ENDED_FOR_MS)}
        if owed.document["state"] in {"firing", "resolved"}:
            known[owed.document["alert"]] = owed.document
        return await self._post([alert_of(one, now_ms) for one in known.values()], now_ms)

    async def resend(self) -> str:
        """Tell every peer all that is open. Raises DeliveryFailed where none took it."""
        now_ms = self._clock()
        known = await self._documents(self.name, now_ms - ENDED_FOR_MS)
        return await self._post([alert_of(one, now_ms) for one in known], now_ms)

    async def _post(self, alerts: list[dict[str, Any]], now_ms: int) -> str:
        if self._is_beating:
            alerts.append(heartbeat(now_ms))
        if not alerts:
            return "nothing is open"
        answers = await asyncio.gather(*(self._post_to(peer, alerts) for peer in self._peers))
        failed = [one for one in answers if isinstance(one, DeliveryFailed)]
        if len(failed) == len(answers):
            raise DeliveryFailed(str(failed[0]), is_permanent=all(one.is_permanent for one in failed))
        return f"{len(answers) - len(failed)} of {len(answers)} peers took {len(alerts)} alerts"

    async def _post_to(self, peer: str, alerts: list[dict[str, Any]]) -> str | DeliveryFailed:
        url, timeout = f"{peer}/api/v2/alerts", ClientTimeout(total=self.timeout_s)
        try:
            async with self._session.post(url, json=alerts, timeout=timeout, allow_redirects=False) as response:
                return judge(response.status)
        except DeliveryFailed as error:
            return error
        except (TimeoutError, ClientError, OSError) as error:
            return DeliveryFailed(explain(error), is_permanent=False)


class Resend:
    """Says again to one channel what is open. A failure is told in the log; the next time comes soon."""

    def __init__(self, channel: AlertmanagerChannel) -> None:
        self._channel = channel

    async def resend(self) -> bool:
        """Once."""
        try:
            await self._channel.resend()
        except DeliveryFailed as error:
            log.warning("what is open was not taken", extra=fields(channel=self._channel.name, why=error))
        return False


def peers_of(url: str) -> list[str]:
    """`alertmanager+http://a:9093,b:9093/prefix` as the base address of each peer."""
    parts = urlsplit(url)
    scheme = parts.scheme.removeprefix("alertmanager+")
    who, at, hosts = parts.netloc.rpartition("@")
    return [f"{scheme}://{who}{at}{host.strip()}{parts.path.rstrip('/')}" for host in hosts.split(",") if host.strip()]


def alert_of(document: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """A notice as an alert of the API. Its labels never change while the incident is open."""
    is_over = document["state"] == "resolved"
    return {
        "labels": {"alertname": NAME, "severity": document["severity"], "cause": document["cause"]},
        "annotations": {
            "summary": document["summary"],
            "description": document["text"],
            "rule": document["rule"],
            "hosts": str(document["hosts"]),
        },
        "startsAt": _instant(document["since_ms"]),
        "endsAt": _instant(document["at_ms"] if is_over else now_ms + FIRES_FOR_MS),
        **({"generatorURL": document["link"]} if document["link"] else {}),
    }


def heartbeat(now_ms: int) -> dict[str, Any]:
    """What always fires while the collector lives: route it to something that calls when it stops."""
    return {
        "labels": {"alertname": ALIVE, "severity": "none"},
        "annotations": {"summary": "portgauge evaluates; call somebody when this stops"},
        "endsAt": _instant(now_ms + FIRES_FOR_MS),
    }


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
