"""What holds of every answer."""

import asyncio
import logging
from io import BytesIO

import pytest
from aiohttp import ClientSession

from collector.access.token import Scope
from tests.collecting import Collecting


async def test_a_path_nobody_serves_is_a_problem_document(collector: Collecting) -> None:
    problem = await collector.refused("/nowhere")
    assert (problem["status"], problem["title"]) == (404, "Not Found")


async def test_a_method_that_is_not_answered_says_which_are(collector: Collecting) -> None:
    async with collector.session.put(f"{collector.url}/v1/snapshots") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert response.content_type == "application/problem+json"


async def test_a_fault_of_ours_is_logged_and_not_told(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("collector.api.hosts.hosts.after_name", fails)
    problem = await collector.refused("/v1/hosts")
    assert problem["status"] == 500
    assert "secret" not in str(problem)
    assert "ZeroDivisionError" in caplog.text


async def test_no_token_reaches_the_log(collector: Collecting, caplog: pytest.LogCaptureFixture) -> None:
    """A login link carries one in its query."""
    with caplog.at_level(logging.DEBUG):
        for secret in (collector.tokens["read"], collector.tokens["push"], "pg_not_known"):
            async with ClientSession() as browser, browser.get(f"{collector.url}/?login={secret}"):
                pass
        await collector.get("/v1/hosts")
        await collector.refused("/v1/pools", pear="1")
    ours = [record for record in caplog.records if not record.name.startswith(("aiosqlite", "asyncio"))]
    shown = " ".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert "path" in shown
    assert "login=" not in shown
    assert all(token not in shown for token in collector.tokens.values())


@pytest.mark.parametrize(
    "head", [b"garbage here\r\n\r\n", b"GET /v1/hosts?cursor=" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_request_is_a_problem_document_and_the_end(collector: Collecting, head: bytes) -> None:
    """The library's own complaint is a bare text, and quotes what was sent."""
    host, port = collector.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 400 Bad Request" in answer
    assert b"application/problem+json" in answer
    assert b"aaaaaaaaaa" not in answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1", b"", 404),
        ("PUT", "/v1/hosts", b"", 405),
        ("TRACE", "/v1/pools", b"", 405),
        ("POST", "/v1/silences", b"x" * 1_100_000, 413),
        ("POST", "/v1/silences", b"[]", 400),
        ("DELETE", "/v1/silences/nine", b"", 404),
        ("GET", "/v1/hosts/lb%00", b"", 404),
    ],
)
async def test_every_refusal_is_a_problem_document(
    collector: Collecting, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {await collector.token(Scope.ADMIN)}"}
    url = f"{collector.url}{path}"
    async with collector.session.request(
        method, url, data=BytesIO(body) if body else None, headers=headers
    ) as response:
        assert (response.status, response.content_type) == (status, "application/problem+json")
        document = await response.json(content_type=None)
        assert document.keys() >= {"type", "title", "status", "detail"}
