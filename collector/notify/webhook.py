"""A notice as an HTTP POST: the document as JSON, and a key by which the receiver knows a repeat."""

from aiohttp import ClientError, ClientSession, ClientTimeout

from collector.config import Webhook
from collector.notify.channel import DeliveryFailed
from collector.storage.outbox import Owed

_RETRIED = frozenset({408, 425, 429})
"""4xx that ask for another try (RFC 9110, RFC 8470, RFC 6585); every other 4xx will not change its mind."""


class WebhookChannel:
    """One webhook. The session is the caller's to close."""

    def __init__(self, webhook: Webhook, session: ClientSession) -> None:
        self.name = webhook.name
        self._url, self._timeout = webhook.url, ClientTimeout(total=webhook.timeout_s)
        self._session = session

    async def send(self, owed: Owed) -> str:
        """POST it; 2xx is taken. A redirect is a mistake in the configuration, and not followed."""
        try:
            async with self._session.post(
                self._url,
                json=owed.document,
                headers={"Idempotency-Key": owed.key},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _judge(response.status)
        except (TimeoutError, ClientError, OSError) as error:
            raise DeliveryFailed(_explain(error), is_permanent=False) from None


def _judge(status: int) -> str:
    detail = f"HTTP {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return detail
    is_ours = 300 <= status < 500 and status not in _RETRIED  # noqa: PLR2004 - redirects and refusals
    raise DeliveryFailed(detail, is_permanent=is_ours)


def _explain(error: Exception) -> str:
    # The type and errno, not the text: a client error's text may hold the URL, and webhook URLs are secrets.
    number = getattr(error, "errno", None)
    return f"{type(error).__name__} (errno {number})" if number else type(error).__name__
