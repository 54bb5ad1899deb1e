"""Services through apprise, against a server that plays one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from collector.notify.channel import DeliveryFailed
from collector.notify.service import ServiceChannel
from collector.notify.settings import ChannelSettings, resolve
from collector.run import listening, serving
from collector.storage.outbox import Owed
from shared.settings import InvalidValue
from tests.builders import NOON_MS

DOCUMENT = {"state": "firing", "severity": "page", "summary": "PAGE lb1: …", "text": "PAGE lb1: …\n1. one more backend"}
OWED = Owed(1, "k", DOCUMENT, NOON_MS, 0)


@asynccontextmanager
async def playing(status: int) -> AsyncIterator[tuple[ServiceChannel, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/notify", take)
    with listening("127.0.0.1:0") as listener:
        async with serving(app, listener) as url:
            address = url.replace("http://", "json://") + "/notify"
            yield ServiceChannel(resolve(ChannelSettings(name="ops", url=address, timeout_s=20))), seen


async def test_title_and_text_reach_the_service() -> None:
    async with playing(200) as (channel, seen):
        assert await channel.send(OWED) == "taken"
    assert (seen[0]["title"], seen[0]["message"], seen[0]["type"]) == (
        "PAGE lb1: …",
        "PAGE lb1: …\n1. one more backend",
        "failure",
    )


async def test_what_a_service_does_not_take_may_be_tried_again() -> None:
    async with playing(500) as (channel, _):
        with pytest.raises(DeliveryFailed, match="did not take") as caught:
            await channel.send(OWED)
    assert not caught.value.is_permanent


def test_an_address_apprise_does_not_know_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidValue, match="channel 'ops'") as caught:
        ServiceChannel(resolve(ChannelSettings(name="ops", url="slakc://T0/SECRET")))
    assert "SECRET" not in str(caught.value)
