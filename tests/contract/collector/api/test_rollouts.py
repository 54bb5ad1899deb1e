"""GET /v1/config, /v1/rollouts."""

from typing import Any

import pytest

from collector.access.token import Scope
from tests.collecting import Collecting

PLAN = {"author": "ops", "reason": "r", "settings": {"interval_s": 5}, "canaries": ["lb1"]}


async def send(
    collector: Collecting, method: str, path: str, token: str, body: Any = None, *, etag: str = ""
) -> tuple[int, Any, str]:
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": etag}
    async with collector.session.request(method, f"{collector.url}{path}", json=body, headers=headers) as response:
        is_json = "json" in response.content_type
        return (
            response.status,
            await response.json(content_type=None) if is_json else None,
            response.headers.get("ETag", ""),
        )


async def test_a_host_reads_its_own_configuration_and_only_what_changed(collector: Collecting) -> None:
    admin, own = await collector.token(Scope.ADMIN), await collector.token(Scope.PUSH, "lb1")
    assert (await send(collector, "GET", "/v1/config", own))[1] == {"revision": 0, "settings": {}}
    status, made, _ = await send(collector, "POST", "/v1/rollouts", admin, PLAN)
    assert status == 201
    _, told, etag = await send(collector, "GET", "/v1/config", own)
    assert told == {"revision": made["id"], "settings": {"interval_s": 5.0}}
    assert (await send(collector, "GET", "/v1/config", own, etag=etag))[0] == 304
    other = await collector.token(Scope.PUSH, "lb2")
    assert (await send(collector, "GET", "/v1/config", other))[1]["revision"] == 0
    assert (await send(collector, "GET", "/v1/config?host=lb2", collector.tokens["push"]))[0] == 200
    assert (await send(collector, "GET", "/v1/config?host=lb2", collector.tokens["read"]))[0] == 403


async def test_a_rollout_is_paused_resumed_and_aborted_by_an_admin(collector: Collecting) -> None:
    admin = await collector.token(Scope.ADMIN)
    number = (await send(collector, "POST", "/v1/rollouts", admin, PLAN))[1]["id"]
    for action, status in (("resume", 409), ("pause", 204), ("resume", 204), ("abort", 204), ("pause", 409)):
        path = f"/v1/rollouts/{number}/{action}"
        assert (await send(collector, "POST", path, admin))[0] == status, action
        assert (await send(collector, "POST", path, collector.tokens["read"]))[0] == 403
    [item] = (await collector.get("/v1/rollouts"))["items"]
    assert (item["id"], item["state"], item["settings"]) == (number, "aborted", {"interval_s": 5.0})


async def test_it_is_told_what_a_rollout_waits_for(collector: Collecting) -> None:
    admin = await collector.token(Scope.ADMIN)
    number = (await send(collector, "POST", "/v1/rollouts", admin, PLAN))[1]["id"]
    for action, waits_for in (("", "lb1: no host of this name that it is for has reported"), ("pause", "")):
        if action:
            await send(collector, "POST", f"/v1/rollouts/{number}/{action}", admin)
        [item] = (await collector.get("/v1/rollouts"))["items"]
        assert item["waits_for"] == waits_for


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"settings": {"token_file": "x"}}, "settings.token_file"),
        ({"settings": {"interval_s": -1}}, "settings.interval_s"),
        ({"steps": []}, "steps"),
    ],
)
async def test_a_mistake_is_named_before_anything_is_accepted(
    collector: Collecting, changes: dict[str, Any], parameter: str
) -> None:
    admin = await collector.token(Scope.ADMIN)
    status, problem, _ = await send(collector, "POST", "/v1/rollouts", admin, PLAN | changes)
    assert (status, problem["parameter"]) == (400, parameter)
    assert (await collector.get("/v1/rollouts"))["items"] == []
