"""GET /v1/hosts; GET, DELETE /v1/hosts/{host}."""

from typing import Any

from collector.access.token import Scope
from tests.builders import a_failure, a_reading, a_snapshot
from tests.collecting import Collecting


async def state(collector: Collecting) -> str:
    answer: str = (await collector.get("/v1/hosts/lb1"))["state"]
    return answer


async def test_before_anybody_reported_the_list_is_empty(collector: Collecting) -> None:
    assert await collector.get("/v1/hosts") == {"items": [], "next": None}


async def test_a_host_is_reporting_until_three_intervals_are_missed(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()))
    collector.clock.turn(30)
    assert await state(collector) == "reporting"
    collector.clock.turn(0.001)
    assert await state(collector) == "silent"


async def test_a_host_that_reports_failure_is_blind(collector: Collecting) -> None:
    await collector.push(a_failure("no netlink"))
    host = await collector.get("/v1/hosts/lb1")
    assert (host["state"], host["failure"]) == ("blind", "no netlink")


async def test_skew_is_shown_with_its_sign(collector: Collecting) -> None:
    await collector.push(a_snapshot(taken_at_ms=collector.clock() - 90_000))
    assert (await collector.get("/v1/hosts/lb1"))["skew_ms"] == -90_000


async def test_a_host_nobody_heard_of_is_404(collector: Collecting) -> None:
    problem = await collector.refused("/v1/hosts/lb9")
    assert (problem["status"], problem["host"]) == (404, "lb9")


async def test_a_parameter_nobody_knows_is_refused(collector: Collecting) -> None:
    assert (await collector.refused("/v1/hosts", limits=3))["parameter"] == "limits"


async def asked_to_forget(collector: Collecting, name: str, scope: Scope = Scope.ADMIN) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {await collector.token(scope)}"}
    async with collector.session.delete(f"{collector.url}/v1/hosts/{name}", headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_host_is_forgotten_by_who_may_change_things(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading()))
    assert (await asked_to_forget(collector, "lb1", Scope.READ))[0] == 403
    assert await asked_to_forget(collector, "lb1") == (200, {"host": "lb1", "revoked": []})
    assert await state(collector) == "forgotten"
    assert (await collector.get("/v1/hosts"))["items"] == []
    for name in ("lb1", "lb9", "%00"):
        status, problem = await asked_to_forget(collector, name)
        assert (status, problem["type"]) == (404, "urn:portgauge:problem:unknown-host")
