"""What holds of every answer."""

import logging

import pytest
from aiohttp import ClientSession

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

    monkeypatch.setattr("collector.api.hosts.hosts.all_hosts", fails)
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
