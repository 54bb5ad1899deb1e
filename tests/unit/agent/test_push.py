"""Pushing to a real HTTP server: every fate, one connection, secrets unsaid."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from agent.errors import TokenUnreadable
from agent.line import Route
from agent.push import Pusher, pushing, token_reader
from agent.spool import Spool
from agent.tallies import Pushes
from shared.wire import CONTENT_TYPE, decode, encode
from tests.builders import a_pool, a_reading, a_snapshot
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
    says: str = '{"accepted": true, "duplicate": false, "config_revision": 7}'
    most_bytes: int = 2**20

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.read())
        self.requests.append(request)
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        if len(self.bodies[-1]) > self.most_bytes:
            return web.Response(status=413, text="too large")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers=self.headers, text=self.says)


@asynccontextmanager
async def serving(collector: ACollector) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(collector.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{collector.port}"
    finally:
        await runner.cleanup()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, boot_id="b", max_bytes=10**6, max_age_ms=10**9) as made:
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long to wait is told in test_backoff."""
    monkeypatch.setattr("agent.push.delay_s", lambda _failures, _chance: 0.01)


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
        pusher = Pusher(spool, Route(base=url), lambda: SECRET)
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
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
        await until(lambda: spool.newest() is None)

    assert collector.bodies == [b"1"] * 3


async def test_attempts_are_counted_by_what_came_of_them(spool: Spool) -> None:
    collector = ACollector([503, 202, 400], headers={"Retry-After": "0"})
    pushes = Pushes()
    put(spool, b"2nd")
    put(spool, b"1st")
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET, pushes=pushes)):
        await until(lambda: spool.newest() is None)

    assert pushes.verdicts == {"later": 1, "taken": 1, "refused": 1}
    assert pushes.taken_bytes == 3


async def test_what_is_refused_is_set_aside_and_the_rest_goes_on(spool: Spool) -> None:
    collector = ACollector([400, 202])
    put(spool, b"good")
    put(spool, b"bad")
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
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
        async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
            await until(lambda: len(collector.bodies) > 5)

    said = [record for record in caplog.records if record.name == "agent.push"]
    assert len(said) == 1
    assert SECRET not in caplog.text
    assert spool.state().snapshots == 1


async def test_an_unreachable_collector_is_said_once_and_waited_for(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    collector = ACollector([202])
    async with serving(collector):
        pass  # A port that was free a moment ago, and refuses now.
    put(spool, b"1")
    pusher = Pusher(spool, Route(base=f"http://127.0.0.1:{collector.port}"), lambda: SECRET)
    with caplog.at_level(logging.INFO):
        async with pushing(pusher):
            await until(lambda: pusher._failures > 5)

    assert caplog.text.count("cannot be reached") == 1
    assert spool.state().snapshots == 1


async def test_the_end_of_an_outage_is_said(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    put(spool, b"1")
    with caplog.at_level(logging.INFO):
        async with serving(ACollector([500, 500, 202])) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
            await until(lambda: "takes snapshots again" in caplog.text)

    assert spool.newest() is None


async def test_a_page_that_is_no_receipt_takes_nothing(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that answers 200 with a login page is no collector."""
    collector = ACollector([200], says="<html>Please log in</html>")
    put(spool, b"1")
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
        await until(lambda: len(collector.bodies) > 1)

    assert spool.state().snapshots == 1
    assert "answered 200: <html>Please log in" in caplog.text


async def test_the_revision_of_the_configuration_is_noticed(spool: Spool) -> None:
    pushes = Pushes()
    put(spool, b"1")
    async with (
        serving(ACollector([202])) as url,
        pushing(Pusher(spool, Route(base=url), lambda: SECRET, pushes=pushes)),
    ):
        await until(lambda: pushes.config_revision is not None)

    assert (pushes.config_revision, pushes.connects) == (7, 1)


async def test_who_says_too_large_is_told_the_same_with_fewer_pools(spool: Spool) -> None:
    snapshot = a_snapshot(*(a_reading(port % 300, pool=a_pool(port)) for port in range(1, 1_001)))
    collector = ACollector([202], most_bytes=10_000)
    spool.put(lambda seq: encode(replace(snapshot, seq=seq)), 1_000)
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
        await until(lambda: spool.newest() is None)
        attempts = len(collector.bodies)
        spool.put(lambda seq: encode(replace(snapshot, seq=seq)), 1_000)
        spool.put(lambda seq: encode(replace(snapshot, seq=seq)), 1_000)

    told = decode(collector.bodies[attempts - 1])
    rest = told.namespaces[0].remainder
    assert spool.state().refused == 0
    assert 0 < len(told.readings) < 1_000
    assert len(told.readings) + rest.pools == 1_000
    assert sum(one.held for one in told.readings) + rest.held == sum(one.held for one in snapshot.readings)


async def test_a_new_snapshot_does_not_wait_behind_the_backlog(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.push.pause_s", lambda _took_s: 3_600.0)
    collector = ACollector([202])
    put(spool, b"1")
    put(spool, b"2")
    async with serving(collector) as url:
        pusher = Pusher(spool, Route(base=url), lambda: SECRET)
        async with pushing(pusher):
            await until(lambda: len(collector.bodies) == 1)
            put(spool, b"3")
            pusher.wake.set()
            await until(lambda: len(collector.bodies) == 2)

    assert collector.bodies == [b"2", b"3"]


async def test_who_asks_to_wait_is_not_disturbed_by_new_snapshots(spool: Spool) -> None:
    collector = ACollector([503], headers={"Retry-After": "3600"})
    put(spool, b"1")
    async with serving(collector) as url:
        pusher = Pusher(spool, Route(base=url), lambda: SECRET)
        async with pushing(pusher):
            await until(lambda: pusher._failures == 1)
            put(spool, b"2")
            pusher.wake.set()
            await asyncio.sleep(0.3)

    assert collector.bodies == [b"1"]


async def test_a_line_that_has_nothing_to_carry_is_kept_warm(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.push.WARM_EVERY_S", 0.02)
    collector = ACollector([202])
    put(spool, b"1")
    async with serving(collector) as url, pushing(Pusher(spool, Route(base=url), lambda: SECRET)):
        await until(lambda: [one.path for one in collector.requests].count("/healthz") > 2)

    assert len(collector.peers) == 1
    assert "Authorization" not in collector.requests[-1].headers


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
