"""Who may ask."""

import pytest
from aiohttp import ClientSession

from collector.access.doorkeeper import proved
from collector.access.token import Scope
from tests.collecting import Collecting

ASKED = ["/v1/hosts", "/v1/hosts/lb1", "/v1/pools", "/v1/trend", "/v1/alerts", "/v1/transitions"]


@pytest.mark.parametrize("path", ASKED)
async def test_no_question_is_answered_without_a_token(collector: Collecting, path: str) -> None:
    async with ClientSession() as stranger, stranger.get(f"{collector.url}{path}") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ASKED)
async def test_a_push_token_reads_nothing(collector: Collecting, path: str) -> None:
    """It lies on every host of the fleet."""
    collector.tokens["read"] = collector.tokens["push"]
    assert (await collector.refused(path))["status"] == 403


async def test_an_admin_token_may_read(collector: Collecting) -> None:
    collector.tokens["read"] = await collector.token(Scope.ADMIN)
    await collector.get("/v1/hosts")


async def test_a_known_id_with_another_secret_proves_nothing(collector: Collecting) -> None:
    known, other = collector.tokens["read"], await collector.token(Scope.READ)
    assert await proved(collector.db, known, collector.clock())
    assert await proved(collector.db, known[:16] + other[16:], collector.clock()) is None
