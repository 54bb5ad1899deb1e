"""The line to a collector over real sockets: compressed, through a proxy, under TLS, and what is said where none is."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from agent.delivery import receipt
from agent.line import FROM_WHICH_GZIP_PAYS, Line, Reply, Route, Unreachable, line
from agent.tallies import Pushes
from agent.tls import TlsFiles
from tests.certificates import Authority

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer, auto_decompress=False))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_line(route: Route) -> AsyncIterator[Line]:
    async with line(route, Pushes()) as made:
        yield made


async def yes(request: web.BaseRequest) -> web.Response:
    return web.Response(status=202, text=str(len(await request.read())))


async def test_a_body_travels_compressed_where_asked_and_where_it_pays() -> None:
    seen: list[tuple[str | None, bytes]] = []

    async def note(request: web.BaseRequest) -> web.Response:
        seen.append((request.headers.get("Content-Encoding"), await request.read()))
        return web.Response(status=202)

    async with answering(note) as base, a_line(Route(base=base, gzip=True)) as to:
        await to.post(b"x" * FROM_WHICH_GZIP_PAYS, "t")
        await to.post(b"short", "t")

    assert seen[0][0] == "gzip"
    assert gzip.decompress(seen[0][1]) == b"x" * FROM_WHICH_GZIP_PAYS
    assert seen[1] == (None, b"short")


async def test_a_proxy_of_the_environment_is_used_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied: list[tuple[str, str | None]] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        proxied.append((request.raw_path, request.headers.get("Proxy-Authorization")))
        return web.Response(status=204)

    async with answering(proxy) as at, answering(yes) as base:
        monkeypatch.setenv("http_proxy", at.replace("//", "//user:word@"))
        monkeypatch.setenv("no_proxy", "")
        async with a_line(Route(base=base)) as to:
            assert (await to.post(b"1", "t")).status == 202
        async with a_line(Route(base=base, proxy_from_env=True)) as to:
            assert (await to.post(b"1", "t")).status == 204
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            assert (await to.post(b"1", "t")).status == 202

    assert proxied == [(f"{base}/v1/snapshots", "Basic dXNlcjp3b3Jk")]


@pytest.fixture
def server(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.sign("collector"))
    return context


async def test_a_collector_that_a_known_authority_vouches_for_is_trusted(
    server: ssl.SSLContext, authority: Authority
) -> None:
    async with answering(yes, server) as base, a_line(Route(base=base, tls=TlsFiles(authority.ca))) as to:
        assert await to.post(b"12345", "t") == Reply(202, None, b"5")


async def test_any_other_gets_no_token(server: ssl.SSLContext) -> None:
    async with answering(yes, server) as base, a_line(Route(base=base)) as to:
        with pytest.raises(Unreachable, match=r"its certificate is not trusted: .*CERTIFICATE_VERIFY_FAILED"):
            await to.post(b"1", "t")


async def test_a_collector_that_asks_for_a_certificate_gets_it(server: ssl.SSLContext, authority: Authority) -> None:
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(authority.ca)
    own = authority.sign("lb1")
    async with answering(yes, server) as base:
        async with a_line(Route(base=base, tls=TlsFiles(authority.ca, own))) as to:
            assert (await to.post(b"1", "t")).status == 202
        async with a_line(Route(base=base, tls=TlsFiles(authority.ca))) as to:
            with pytest.raises(Unreachable):
                await to.post(b"1", "t")


async def test_nobody_there_is_said_in_one_line(tmp_path: Path) -> None:
    del tmp_path
    async with answering(yes) as base:
        pass
    async with a_line(Route(base=base)) as to:
        with pytest.raises(Unreachable, match="Connect call failed"):
            await to.post(b"1", "t")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\x16\x03\x01" * 40,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 999999 \r\n\r\n",
        b"HTTP/1.1 202 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 202 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 202 OK\r\nContent-Length: 400\r\n\r\nabcd",
        b"HTTP/1.1 202 OK\r\n" + b"X: y\r\n" * 100_000,
        b"",
    ],
)
async def test_garbage_is_no_receipt_and_no_fault_of_ours(garbage: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.read(65_536)
        writer.write(garbage)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, a_line(Route(base=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")) as to:
        said = await what_comes(to)

    assert said
    assert "\n" not in said


async def what_comes(to: Line) -> str:
    """Why there is no answer, or that it is no receipt."""
    try:
        reply = await to.post(b"1", "t")
    except Unreachable as error:
        return str(error)
    return "" if receipt(reply.body).is_accepted else "no receipt"


async def test_who_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.line.patience_s", lambda _size: 0.1)

    over = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        over.set()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server, a_line(Route(base=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")) as to:
        with pytest.raises(Unreachable, match="no answer within"):
            await to.post(b"1", "t")
        await over.wait()
