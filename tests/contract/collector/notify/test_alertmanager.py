"""Alertmanager for real: labels are identity, what fires is said again, an end is an end, peers are told each."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from collector.notify.alertmanager import ALIVE, FIRES_FOR_MS, AlertmanagerChannel, Resend, alert_of, peers_of
from collector.notify.channel import DeliveryFailed
from collector.notify.settings import ChannelSettings, resolve
from collector.storage.outbox import Owed
from tests.alertmanager import alertmanager, alerts_of, free_port, why_none


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two that know nothing of each other, so that each must be told."""
    if reason := why_none():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("alertmanager")
    with alertmanager(folder / "a") as one, alertmanager(folder / "b") as other:
        yield [one, other]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def a_document(cause: str, state: str = "firing", **changes: Any) -> dict[str, Any]:
    return {
        "alert": cause,
        "state": state,
        "severity": "page",
        "cause": cause,
        "rule": "pool-nearly-full",
        "hosts": 3,
        "link": "http://portgauge.example/",
        "since_ms": now_ms() - 5_000,
        "at_ms": now_ms(),
        "summary": f"PAGE {cause}",
        "text": "all that helps",
    } | changes


@asynccontextmanager
async def a_channel(
    peers: Sequence[str], documents: Sequence[Mapping[str, Any]] = (), *, heartbeat_s: float = 0
) -> AsyncIterator[AlertmanagerChannel]:
    async def known(_channel: str, _ended_since_ms: int) -> Sequence[Mapping[str, Any]]:
        return documents

    url = f"alertmanager+http://{','.join(peers)}"
    settings = ChannelSettings(name="am", url=url, heartbeat_s=heartbeat_s, timeout_s=10)
    async with ClientSession() as session:
        yield AlertmanagerChannel(resolve(settings), session, now_ms, known)


async def send(channel: AlertmanagerChannel, document: dict[str, Any]) -> str:
    return await channel.send(Owed(1, "k", document, now_ms(), 0))


async def firing(address: str, cause: str) -> list[dict[str, Any]]:
    found = await asyncio.to_thread(alerts_of, address)
    return [alert for alert in found if alert["labels"].get("cause") == cause]


async def test_what_fires_is_known_to_every_peer_and_ends_for_every_peer(peers: list[str]) -> None:
    async with a_channel(peers) as channel:
        assert await send(channel, a_document("backend one")) == "2 of 2 peers took 1 alerts"
        for peer in peers:
            [alert] = await firing(peer, "backend one")
            assert alert["labels"] == {"alertname": "portgauge", "severity": "page", "cause": "backend one"}
            assert alert["annotations"]["summary"] == "PAGE backend one"
            assert alert["generatorURL"] == "http://portgauge.example/"
        await send(channel, a_document("backend one", "resolved"))
        assert [await firing(peer, "backend one") for peer in peers] == [[], []]


async def test_an_update_is_the_same_alert(peers: list[str]) -> None:
    async with a_channel(peers) as channel:
        await send(channel, a_document("backend two"))
        await send(channel, a_document("backend two", hosts=200, rule="connect-failed"))
    [alert] = await firing(peers[0], "backend two")
    assert alert["annotations"]["hosts"] == "200"


async def test_what_is_open_is_said_again_with_a_later_end(peers: list[str]) -> None:
    """An Alertmanager that was restarted, or missed the notice, learns of it at the next resend."""
    async with a_channel(peers, [a_document("backend three")]) as channel:
        assert await Resend(channel).resend() is False
        [first] = await firing(peers[0], "backend three")
        await asyncio.sleep(0.01)
        await channel.resend()
        [second] = await firing(peers[0], "backend three")
    assert second["endsAt"] > first["endsAt"]
    assert second["fingerprint"] == first["fingerprint"]


async def test_a_peer_that_is_down_keeps_nobody_from_being_told(peers: list[str]) -> None:
    async with a_channel([f"127.0.0.1:{free_port()}", peers[1]]) as channel:
        assert await send(channel, a_document("backend four")) == "1 of 2 peers took 1 alerts"
    assert await firing(peers[1], "backend four")


async def test_no_peer_at_all_is_a_failure_that_may_pass() -> None:
    async with a_channel([f"127.0.0.1:{free_port()}"], [a_document("x")]) as channel:
        with pytest.raises(DeliveryFailed) as caught:
            await send(channel, a_document("backend five"))
        assert not caught.value.is_permanent
        assert await Resend(channel).resend() is False


async def test_the_heartbeat_always_fires(peers: list[str]) -> None:
    async with a_channel(peers, heartbeat_s=60) as channel:
        await channel.resend()
    names = [alert["labels"]["alertname"] for alert in await asyncio.to_thread(alerts_of, peers[0])]
    assert ALIVE in names


async def test_where_nothing_is_open_nothing_is_said() -> None:
    async with a_channel([f"127.0.0.1:{free_port()}"]) as channel:
        assert await channel.resend() == "nothing is open"


def test_an_end_is_when_it_ended_and_a_firing_ends_unless_it_is_said_again() -> None:
    fires, ended = a_document("x"), a_document("x", "resolved", at_ms=1_795_348_800_000)
    assert alert_of(fires, 1_795_348_800_000 - FIRES_FOR_MS)["endsAt"] == "2026-11-22T12:00:00.000Z"
    assert alert_of(ended, now_ms())["endsAt"] == "2026-11-22T12:00:00.000Z"


def test_peers_share_scheme_and_path() -> None:
    assert peers_of("alertmanager+https://me:pw@a:9093,b:9093/am/") == [
        "https://me:pw@a:9093/am",
        "https://me:pw@b:9093/am",
    ]
