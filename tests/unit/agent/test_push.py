"""Pushing to a real HTTP server: every fate, one connection, secrets unsaid."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from agent.errors import TokenUnreadable
from agent.push import Pusher, pushing, token_reader
from agent.spool import Spool
from agent.tallies import Pushes
from shared.wire import CONTENT_TYPE
from tests.secret import a_secret

SECRET = "pg_id_verysecret"


@dataclass
class ACollector:
    """Answers each push with the next status of its script, the last one for ever."""

    statuses: list[int]
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    requests: list[web.BaseRequest] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    port: int = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.read())
        self.requests.append(request)
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers=self.headers, text="told")


@asynccontextmanager
async def serving(collector: ACollector) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(collector.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{collector.port}/v1/snapshots"
    finally:
        await runner.cleanup()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, boot_id="b", max_bytes=10**6, max_age_ms=10**9) as made:
        yield made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in SQLite, which has no events
            await asyncio.sleep(0.01)


def put(spool: Spool, body: bytes) -> int:
    return spool.put(lambda _seq: body, 1_000)


async def test_every_snapshot_arrives_over_one_connection_newest_first(spool: Spool) -> None:
    collector = ACollector([202])
    for body in (b"1", b"2", b"3"):
        put(spool, body)
    async with serving(collector) as url:
        pusher = Pusher(spool, url, lambda: SECRET)
        async with pushing(pusher):
            await until(lambda: spool.newest() is None)
            put(spool, b"4")
            pusher.wake.set()
            await until(lambda: spool.newest() is None)

    assert collector.bodies == [b"3", b"2", b"1", b"4"]
    assert len(collector.peers) == 1
    assert collector.requests[0].headers["Content-Type"] == CONTENT_TYPE
    assert collector.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


async def test_a_collector_in_trouble_is_asked_again_until_it_takes_it(spool: Spool) -> None:
    collector = ACollector([503, 500, 202], headers={"Retry-After": "0"})
    put(spool, b"1")
    async with serving(collector) as url, pushing(Pusher(spool, url, lambda: SECRET)):
        await until(lambda: spool.newest() is None)

    assert collector.bodies == [b"1"] * 3


async def test_attempts_are_counted_by_what_came_of_them(spool: Spool) -> None:
    collector = ACollector([503, 202, 400], headers={"Retry-After": "0"})
    pushes = Pushes()
    put(spool, b"2nd")
    put(spool, b"1st")
    async with serving(collector) as url, pushing(Pusher(spool, url, lambda: SECRET, pushes=pushes)):
        await until(lambda: spool.newest() is None)

    assert pushes.verdicts == {"later": 1, "taken": 1, "refused": 1}
    assert pushes.taken_bytes == 3


async def test_what_is_refused_is_set_aside_and_the_rest_goes_on(spool: Spool) -> None:
    collector = ACollector([400, 202])
    put(spool, b"good")
    put(spool, b"bad")
    async with serving(collector) as url, pushing(Pusher(spool, url, lambda: SECRET)):
        await until(lambda: spool.newest() is None)

    assert collector.bodies == [b"bad", b"good"]
    assert spool.state().refused == 1


async def test_a_wrong_token_is_said_once_without_the_token_and_nothing_is_lost(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.push.NOT_ALLOWED_PAUSE_S", 0.01)
    collector = ACollector([401])
    put(spool, b"1")
    with caplog.at_level(logging.INFO):
        async with serving(collector) as url, pushing(Pusher(spool, url, lambda: SECRET)):
            await until(lambda: len(collector.bodies) > 5)

    said = [record for record in caplog.records if record.name == "agent.push"]
    assert len(said) == 1
    assert SECRET not in caplog.text
    assert spool.state().snapshots == 1


async def test_an_unreachable_collector_is_said_once_and_waited_for(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.push.delay_s", lambda _failures, _chance: 0.01)
    collector = ACollector([202])
    async with serving(collector):
        pass  # A port that was free a moment ago, and refuses now.
    put(spool, b"1")
    pusher = Pusher(spool, f"http://127.0.0.1:{collector.port}/v1/snapshots", lambda: SECRET)
    with caplog.at_level(logging.INFO):
        async with pushing(pusher):
            await until(lambda: pusher._failures > 5)

    assert caplog.text.count("cannot be reached") == 1
    assert spool.state().snapshots == 1


async def test_the_end_of_an_outage_is_said(
    spool: Spool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.push.delay_s", lambda _failures, _chance: 0.01)
    put(spool, b"1")
    with caplog.at_level(logging.INFO):
        async with serving(ACollector([500, 500, 202])) as url, pushing(Pusher(spool, url, lambda: SECRET)):
            await until(lambda: spool.newest() is None)

    assert "takes snapshots again" in caplog.text


def test_the_token_is_read_anew_so_that_it_can_be_rotated(tmp_path: Path) -> None:
    path = a_secret(tmp_path / "token", "one\n")
    read = token_reader(path)
    assert read() == "one"
    path.write_text("two\n")
    assert read() == "two"


@pytest.mark.parametrize("content", [b"", b"\n", b"two tokens", b"\xff\xfe", b"a\nb"])
def test_a_file_that_holds_no_token_is_said_so_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = a_secret(tmp_path / "token", content)

    with pytest.raises(TokenUnreadable) as caught:
        token_reader(path)()

    assert str(path) in str(caught.value)
    assert "two tokens" not in str(caught.value)


def test_a_file_that_others_can_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = a_secret(tmp_path / "token", SECRET)
    path.chmod(0o640)

    with pytest.raises(TokenUnreadable, match=r"\(mode 0640\); chmod 600 ") as caught:
        token_reader(path)()

    assert SECRET not in str(caught.value)
