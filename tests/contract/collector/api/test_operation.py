"""Handlers are held to what their operations declare."""

import pytest

from collector.access.token import Scope
from tests.collecting import Collecting


async def status_with(collector: Collecting, method: str, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with collector.session.request(method, f"{collector.url}{path}", headers=headers) as response:
        assert response.content_type == "application/problem+json"
        return response.status


async def test_scopes_are_checked_before_anything_else_is_looked_at(collector: Collecting) -> None:
    push, read = collector.tokens["push"], collector.tokens["read"]
    assert await status_with(collector, "GET", "/v1/hosts?nonsense=1", "none") == 401
    assert await status_with(collector, "GET", "/v1/hosts?nonsense=1", push) == 403
    assert await status_with(collector, "GET", "/v1/hosts?nonsense=1", read) == 400
    assert await status_with(collector, "DELETE", "/v1/silences/1", read) == 403
    assert await status_with(collector, "DELETE", "/v1/silences/1", await collector.token(Scope.ADMIN)) == 404


@pytest.mark.parametrize("path", ["/v1/pools?host=", "/v1/top?to=", "/v1/hosts?cursor="])
async def test_an_empty_parameter_is_refused(collector: Collecting, path: str) -> None:
    """`host=$HOST` with nothing in it would ask for every host."""
    problem = await collector.refused(path)
    assert (problem["status"], "is empty" in problem["detail"]) == (400, True)


async def test_changing_something_takes_no_undeclared_parameters_either(collector: Collecting) -> None:
    token = await collector.token(Scope.ADMIN)
    assert await status_with(collector, "DELETE", "/v1/silences/1?force=1", token) == 400
