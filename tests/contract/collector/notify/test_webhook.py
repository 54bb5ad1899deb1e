"""A webhook against a real server."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, web

from collector.notify.channel import DeliveryFailed
from collector.notify.settings import ChannelSettings, resolve
from collector.notify.webhook import SIGNATURE, WebhookChannel, signature
from collector.run import listening, serving
from collector.storage.outbox import Owed
from tests.builders import NOON_MS

OWED = Owed(1, "k1", {"key": "k1", "summary": "PAGE lb1: …"}, NOON_MS, 0)


def a_channel(url: str, session: ClientSession) -> WebhookChannel:
    settings = ChannelSettings(name="webhook", url=url, timeout_s=0.3, secret="s3cret")
    return WebhookChannel(resolve(settings), session, lambda: NOON_MS)


@asynccontextmanager
async def receiving(*statuses: int, delay_s: float = 0) -> AsyncIterator[tuple[WebhookChannel, list[dict[str, Any]]]]:
    """A receiver that answers these statuses in turn, and a channel towards it."""
    seen: list[dict[str, Any]] = []
    answers = iter(statuses)

    async def take(request: web.Request) -> web.Response:
        seen.append({"headers": dict(request.headers), "json": await request.json(), "body": await request.read()})
        await asyncio.sleep(delay_s)
        return web.Response(status=next(answers), headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/notice", take)
    with listening("127.0.0.1:0") as listener:
        async with serving(app, listener) as url, ClientSession() as session:
            yield a_channel(f"{url}/notice", session), seen


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_2xx_is_taken(status: int) -> None:
    async with receiving(status) as (channel, seen):
        assert await channel.send(OWED) == f"HTTP {status}"
    assert seen[0]["json"] == OWED.document
    assert seen[0]["headers"]["Idempotency-Key"] == "k1"


REFUSALS = {302: True, 400: True, 401: True, 404: True, 410: True, 408: False, 429: False, 500: False, 503: False}


@pytest.mark.parametrize(("status", "is_permanent"), REFUSALS.items())
async def test_whether_to_try_again_is_for_the_status_to_say(status: int, *, is_permanent: bool) -> None:
    async with receiving(status) as (channel, seen):
        with pytest.raises(DeliveryFailed, match=f"HTTP {status}") as caught:
            await channel.send(OWED)
    assert caught.value.is_permanent is is_permanent
    assert len(seen) == 1


async def test_a_receiver_that_does_not_answer_is_not_waited_for() -> None:
    async with receiving(200, delay_s=1) as (channel, _):
        with pytest.raises(DeliveryFailed, match="Timeout") as caught:
            await channel.send(OWED)
    assert not caught.value.is_permanent


async def test_a_receiver_that_is_not_there_is_tried_again_and_its_url_kept_secret() -> None:
    with listening("127.0.0.1:0") as listener:
        port = listener.getsockname()[1]
    async with ClientSession() as session:
        channel = a_channel(f"http://127.0.0.1:{port}/services/T0/SECRET", session)
        with pytest.raises(DeliveryFailed) as caught:
            await channel.send(OWED)
    assert not caught.value.is_permanent
    assert "SECRET" not in str(caught.value)


async def test_a_notice_is_signed_with_its_time() -> None:
    async with receiving(200) as (channel, seen):
        await channel.send(OWED)
    given = seen[0]["headers"][SIGNATURE]
    # As a receiver checks it who has only read how.
    signed = f"{NOON_MS // 1000}.".encode() + seen[0]["body"]
    assert given == f"t={NOON_MS // 1000},v1={hmac.new(b's3cret', signed, 'sha256').hexdigest()}"
    assert given != signature(b"s3cret", seen[0]["body"], NOON_MS // 1000 + 1)
    assert given != signature(b"another", seen[0]["body"], NOON_MS // 1000)
