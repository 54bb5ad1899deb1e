"""Services through apprise, against a server that plays one."""

import asyncio
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


async def a_letter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """What a mail server hears of one letter, it being polite."""
    heard: list[str] = []
    writer.write(b"220 mail.example ESMTP\r\n")
    while line := (await reader.readline()).decode():
        heard.append(line)
        word = line[:4].upper()
        if word == "DATA":
            writer.write(b"354 go on\r\n")
            heard.append((await reader.readuntil(b"\r\n.\r\n")).decode())
        writer.write(b"221 bye\r\n" if word == "QUIT" else b"250 mail.example\r\n")
    writer.close()
    return "".join(heard)


async def test_a_mail_server_has_the_letter_with_title_and_text() -> None:
    letters: asyncio.Queue[str] = asyncio.Queue()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await letters.put(await a_letter(reader, writer))

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"mailto://127.0.0.1:{port}/?from=portgauge@example.org&to=ops@example.org&mode=insecure&format=text"
        assert await ServiceChannel(resolve(ChannelSettings(name="mail", url=url, timeout_s=60))).send(OWED) == "taken"
        letter = await letters.get()
    assert "TO:<ops@example.org>" in letter
    assert "Subject: " in letter
    assert "1. one more backend" in letter


async def test_what_a_service_does_not_take_may_be_tried_again() -> None:
    async with playing(500) as (channel, _):
        with pytest.raises(DeliveryFailed, match="did not take") as caught:
            await channel.send(OWED)
    assert not caught.value.is_permanent


def test_an_address_apprise_does_not_know_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidValue, match="channel 'ops'") as caught:
        ServiceChannel(resolve(ChannelSettings(name="ops", url="slakc://T0/SECRET")))
    assert "SECRET" not in str(caught.value)
