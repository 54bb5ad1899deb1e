"""POST /v1/enrol, POST /v1/token."""

from dataclasses import replace
from typing import Any

from collector.access.token import Scope, issue
from collector.storage import tokens
from shared import wire
from shared.token import digest_of, new_token, parse
from tests.builders import NOON_MS, a_snapshot
from tests.collecting import Collecting


async def send(collector: Collecting, path: str, token: str, body: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with collector.session.post(f"{collector.url}{path}", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


def told(text: str) -> dict[str, str]:
    parsed = parse(text)
    assert parsed
    return {"id": parsed[0], "digest": digest_of(parsed[1]).hex()}


async def a_join_token(collector: Collecting) -> str:
    text, grant = issue(Scope.JOIN, None, NOON_MS)
    async with collector.db.writing() as connection:
        await tokens.add(connection, replace(grant, uses_left=1, expires_ms=NOON_MS + 1_000_000))
    return text


async def test_a_host_that_was_let_in_pushes_for_itself_and_for_nobody_else(collector: Collecting) -> None:
    join, own = await a_join_token(collector), new_token()
    status, made = await send(collector, "/v1/enrol", join, {"host": "lb1", "token": told(own)})
    assert (status, made["host"], made["scope"], made["expires_ms"]) == (201, "lb1", "push", None)
    assert (await collector.post(wire.encode(a_snapshot(host="lb1")), own))[0] == 202
    assert (await collector.post(wire.encode(a_snapshot(host="lb2")), own))[0] == 403


async def test_the_answer_to_a_push_asks_for_a_renewal_until_it_is_made(collector: Collecting) -> None:
    own, new = await collector.token(Scope.PUSH, "lb1"), new_token()
    assert "renew_token" not in (await collector.post(wire.encode(a_snapshot(seq=1)), own))[1]
    async with collector.db.writing() as connection:
        assert await tokens.ask_to_renew(connection, "lb1", NOON_MS) == [own.split("_")[1]]
    assert (await collector.post(wire.encode(a_snapshot(seq=2)), own))[1]["renew_token"] is True
    assert (await send(collector, "/v1/token", own, told(new)))[0] == 201
    for seq, token in ((3, new), (4, own)):
        status, answer = await collector.post(wire.encode(a_snapshot(seq=seq)), token)
        assert (status, answer.get("renew_token")) == (202, None)
    collector.clock.turn(3_600)
    assert (await collector.post(wire.encode(a_snapshot(seq=5)), own))[0] == 401
    assert (await collector.post(wire.encode(a_snapshot(seq=5)), new))[0] == 202


async def test_mistakes_are_explained(collector: Collecting) -> None:
    join = await a_join_token(collector)
    assert (await send(collector, "/v1/enrol", join, {"host": "lb1"}))[1]["parameter"] == "token"
    assert (await send(collector, "/v1/enrol", join, {"host": "a b", "token": told(new_token())}))[0] == 400
    assert (await send(collector, "/v1/enrol", "nonsense", {"host": "lb1", "token": told(new_token())}))[0] == 401
    status, problem = await send(collector, "/v1/token", collector.tokens["push"], told(new_token()))
    assert (status, "bound to a host" in problem["detail"]) == (403, True)
    status, problem = await collector.post(b"x", join)
    assert (status, "a join token cannot push" in problem["detail"]) == (403, True)
