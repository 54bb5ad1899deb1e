"""GET, POST and DELETE /v1/silences."""

from typing import Any

import pytest

from collector.access.token import Scope
from tests.collecting import Collecting


async def send(collector: Collecting, method: str, path: str, body: Any = None, scope: Scope = Scope.ADMIN) -> Any:
    headers = {"Authorization": f"Bearer {await collector.token(scope)}"}
    async with collector.session.request(method, f"{collector.url}{path}", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


def a_body(collector: Collecting, **changes: Any) -> dict[str, Any]:
    ends_ms = collector.clock() + 60_000
    return {"author": "ops", "reason": "test", "ends_ms": ends_ms, "where": {"host": ["lb*"]}} | changes


async def test_a_silence_is_made_listed_and_ended(collector: Collecting) -> None:
    status, made = await send(collector, "POST", "/v1/silences", a_body(collector))
    assert status == 201
    [item] = (await collector.get("/v1/silences"))["items"]
    assert (item["id"], item["state"], item["author"]) == (made["id"], "active", "ops")
    assert item["where"]["host"] == ["lb*"]
    assert (await send(collector, "DELETE", f"/v1/silences/{made['id']}"))[0] == 204
    assert (await collector.get("/v1/silences"))["items"] == []
    assert (await send(collector, "DELETE", f"/v1/silences/{made['id']}"))[0] == 404


async def test_a_reader_silences_nothing(collector: Collecting) -> None:
    status, problem = await send(collector, "POST", "/v1/silences", a_body(collector), Scope.READ)
    assert (status, problem["status"]) == (403, 403)


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"where": {}}, "where"),
        ({"where": {"hots": []}}, "where.hots"),
        ({"ends_ms": "soon"}, "ends_ms"),
        ({"ends_ms": 1}, "ends_ms"),
        ({"until": 1}, "until"),
    ],
)
async def test_a_mistake_is_named(collector: Collecting, changes: dict[str, Any], parameter: str) -> None:
    status, problem = await send(collector, "POST", "/v1/silences", a_body(collector, **changes))
    assert (status, problem["parameter"]) == (400, parameter)
