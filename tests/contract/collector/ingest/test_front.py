"""Pushes on the wire, byte by byte."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from collector.ingest.admission import Admission
from collector.ingest.front import MOST_AHEAD
from collector.storage.database import Database
from shared import wire
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting, collecting

BODY = wire.encode(a_snapshot(a_reading()))


def a_push(token: str, body: bytes = BODY, *extra: str) -> bytes:
    lines = [
        "POST /v1/snapshots HTTP/1.1",
        "Host: c",
        f"Authorization: Bearer {token}",
        f"Content-Type: {wire.CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        *extra,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One, and what is answered on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self) -> tuple[int, dict[str, str], dict[str, object]]:
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def is_ended(self) -> bool:
        async with asyncio.timeout(10):
            return await self.reader.read(1) == b""


@asynccontextmanager
async def connected(collector: Collecting) -> AsyncIterator[Connection]:
    url = URL(collector.url)
    assert url.host
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def test_a_push_may_come_in_any_pieces(collector: Collecting) -> None:
    push = a_push(collector.tokens["push"])
    async with connected(collector) as connection:
        for size in (1, 7, 100, len(push)):
            await connection.send(*(push[at : at + size] for at in range(0, len(push), size)))
            status, _, answer = await connection.answer()
            assert (status, answer["accepted"]) == (202, True)


async def test_pushes_sent_ahead_are_answered_one_after_the_other(collector: Collecting) -> None:
    bodies = [wire.encode(a_snapshot(seq=seq)) for seq in (1, 2, 2)]
    async with connected(collector) as connection:
        await connection.send(b"".join(a_push(collector.tokens["push"], body) for body in bodies))
        answers = [await connection.answer() for _ in bodies]
    assert [answer["duplicate"] for _, _, answer in answers] == [False, False, True]


async def test_anything_else_on_the_connection_is_aiohttp_s_from_then_on(collector: Collecting) -> None:
    get = f"GET /v1/hosts HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {collector.tokens['read']}\r\n\r\n".encode()
    push = a_push(collector.tokens["push"])
    async with connected(collector) as connection:
        for request, status in ((push, 202), (get, 200), (push, 202), (get, 200)):
            await connection.send(request)
            assert (await connection.answer())[0] == status


async def test_a_push_out_of_the_ordinary_is_answered_the_same(collector: Collecting) -> None:
    async with connected(collector) as connection:
        await connection.send(a_push(collector.tokens["push"], BODY, "X-Request-Id: 1"))
        assert (await connection.answer())[0] == 202


@pytest.mark.parametrize(
    ("body", "status"), [(b"\xc1", 400), (wire.encode(a_snapshot())[:-1], 400), (gzip.compress(BODY), 400)]
)
async def test_a_bad_body_is_refused_and_the_connection_kept(collector: Collecting, body: bytes, status: int) -> None:
    async with connected(collector) as connection:
        for _ in range(2):
            await connection.send(a_push(collector.tokens["push"], body))
            found, headers, problem = await connection.answer()
            assert (found, problem["status"]) == (status, status)
            assert headers["content-type"] == "application/problem+json"
        await connection.send(a_push(collector.tokens["push"]))
        assert (await connection.answer())[0] == 202


async def test_gzip_is_inflated_small_and_large(collector: Collecting) -> None:
    async with connected(collector) as connection:
        for seq, labels in ((1, {}), (2, {f"l{n}": f"{n:0250d}" for n in range(30)})):
            body = gzip.compress(wire.encode(a_snapshot(seq=seq, labels=labels)), compresslevel=1 if labels else 9)
            await connection.send(a_push(collector.tokens["push"], body, "Content-Encoding: gzip"))
            assert (await connection.answer())[0] == 202


async def test_a_token_that_is_not_good_is_told_so(collector: Collecting) -> None:
    async with connected(collector) as connection:
        for token in ("pg_x", collector.tokens["read"], collector.tokens["read"][:-1] + "x"):
            await connection.send(a_push(token))
            status, headers, _ = await connection.answer()
            assert (status, headers.get("www-authenticate")) in {(401, "bearer"), (403, None)}


async def test_where_there_is_no_room_the_body_passes_by_and_the_connection_is_kept(db: Database) -> None:
    """Closing it would add a reconnect to each push of a fleet that is already too much."""
    small = wire.encode(a_snapshot())
    async with (
        collecting(db, admission=Admission(max_bytes=len(small))) as collector,
        connected(collector) as connection,
    ):
        large = wire.encode(a_snapshot(labels={f"l{n}": "x" * 250 for n in range(30)}))
        for body, status in ((large, 503), (small, 202), (large, 503), (small, 202)):
            push = a_push(collector.tokens["push"], body)
            await connection.send(push[:300], push[300:])
            found, headers, _ = await connection.answer()
            assert (found, "retry-after" in headers) == (status, status == 503)


async def test_room_is_given_back_by_those_who_leave_in_the_middle(db: Database) -> None:
    async with collecting(db, admission=Admission(max_requests=1)) as collector:
        for _ in range(3):
            async with connected(collector) as leaving:
                await leaving.send(a_push(collector.tokens["push"])[:-1])
        async with connected(collector) as connection, asyncio.timeout(10):
            status = 503
            while status == 503:
                await connection.send(a_push(collector.tokens["push"]))
                status = (await connection.answer())[0]
        assert status == 202


async def test_nobody_may_send_ahead_without_end(collector: Collecting) -> None:
    """What does not fit stays in the kernel, where TCP slows the sender."""
    push = a_push(collector.tokens["push"], wire.encode(a_snapshot(labels={f"l{n}": "x" * 250 for n in range(30)})))
    pushes = 2 * MOST_AHEAD // len(push)
    async with connected(collector) as connection:
        sending = asyncio.create_task(connection.send(push * pushes))
        for _ in range(pushes):
            assert (await connection.answer())[0] == 202
        await sending
