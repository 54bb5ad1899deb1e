"""A notice as an HTTP POST: the document as JSON, a key by which the receiver knows a repeat, and a signature.

`Portgauge-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`. The time is part of what is signed, so that an
old notice cannot be sent again by whoever overheard it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable

from aiohttp import ClientError, ClientSession, ClientTimeout

from collector.notify.channel import DeliveryFailed
from collector.notify.settings import TIMEOUT_S, Resolved
from collector.storage.outbox import Owed

SIGNATURE = "Portgauge-Signature"
_RETRIED = frozenset({408, 425, 429})
"""4xx that ask for another try (RFC 9110, RFC 8470, RFC 6585); every other 4xx will not change its mind."""


class WebhookChannel:
    """One webhook. The session is the caller's to close."""

    def __init__(self, resolved: Resolved, session: ClientSession, clock: Callable[[], int]) -> None:
        self.name = resolved.settings.name
        self.timeout_s = resolved.settings.timeout_s or TIMEOUT_S
        self._url, self._secret, self._clock = resolved.url, resolved.secret, clock
        self._session = session

    async def send(self, owed: Owed) -> str:
        """POST it; 2xx is taken. A redirect is a mistake in the configuration, and not followed."""
        body = json.dumps(owed.document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": owed.key}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body, self._clock() // 1000)
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=ClientTimeout(total=self.timeout_s),
                allow_redirects=False,
            ) as response:
                return judge(response.status)
        except (TimeoutError, ClientError, OSError) as error:
            raise DeliveryFailed(explain(error), is_permanent=False) from None


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """`t=1795348800,v1=5f2b…`."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def judge(status: int) -> str:
    """What to write down of an answer. Raises DeliveryFailed."""
    detail = f"HTTP {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return detail
    is_ours = 300 <= status < 500 and status not in _RETRIED  # noqa: PLR2004 - redirects and refusals
    raise DeliveryFailed(detail, is_permanent=is_ours)


def explain(error: Exception) -> str:
    """The type and errno, not the text: a client error's text may hold the URL, and webhook URLs are secrets."""
    number = getattr(error, "errno", None)
    return f"{type(error).__name__} (errno {number})" if number else type(error).__name__
