"""GET, POST /v1/rules; PUT, DELETE /v1/rules/{name}."""

from typing import Any
from urllib.parse import quote

import pytest

from collector.access.token import Scope
from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.storage import audit
from tests.collecting import Collecting

MINE = {"name": "mine", "severity": "page", "raise_at": 0.5}
FILE = Rule(name="of-the-file", severity="page", raise_at=0.9)


async def sent(
    collector: Collecting, method: str, path: str, body: Any = None, scope: Scope = Scope.ADMIN
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {await collector.token(scope)}"}
    url = f"{collector.url}/v1/rules{path}"
    async with collector.session.request(method, url, json=body, headers=headers) as response:
        return response.status, {} if response.status == 204 else await response.json(content_type=None)


async def watched(collector: Collecting) -> dict[str, tuple[str, float | None]]:
    """(origin, level) by name."""
    items = (await collector.get("/v1/rules"))["items"]
    return {item["name"]: (item["origin"], item["raise_at"]) for item in items}


async def test_what_is_watched_is_listed_with_its_origin(collector: Collecting) -> None:
    assert await watched(collector) == {rule.name: ("built-in", rule.raise_at) for rule in BUILT_IN}


async def test_a_rule_is_made_replaced_and_deleted(collector: Collecting) -> None:
    status, made = await sent(collector, "POST", "", MINE)
    assert (status, made["origin"], made["changed_ms"]) == (201, "api", collector.clock())
    assert made["author"].startswith("token ")
    assert (await sent(collector, "POST", "", MINE))[0] == 409
    assert (await sent(collector, "PUT", "/mine", MINE | {"raise_at": 0.6}))[0] == 200
    assert (await watched(collector))["mine"] == ("api", 0.6)
    assert (await sent(collector, "DELETE", "/mine"))[0] == 204
    assert "mine" not in await watched(collector)
    status, problem = await sent(collector, "DELETE", "/mine")
    assert (status, problem["type"]) == (404, "urn:portgauge:problem:unknown-rule")


async def test_each_change_is_in_the_record(collector: Collecting) -> None:
    await sent(collector, "POST", "", MINE)
    await sent(collector, "PUT", "/mine", MINE)
    await sent(collector, "DELETE", "/mine")
    async with collector.db.reading() as connection:
        deeds = await audit.newest(connection, limit=10)
    assert [(one.action, one.detail["rule"]) for one in deeds] == [
        ("rule-delete", "mine"),
        ("rule-put", "mine"),
        ("rule-add", "mine"),
    ]
    assert deeds[1].detail["is"]["raise_at"] == 0.5


async def test_one_that_is_built_in_can_be_made_anew_and_holds_again_when_that_is_deleted(
    collector: Collecting,
) -> None:
    name = "pool-half-full"
    assert (await sent(collector, "PUT", f"/{name}", MINE | {"name": name, "raise_at": 0.6}))[0] == 200
    assert (await watched(collector))[name] == ("api", 0.6)
    await sent(collector, "DELETE", f"/{name}")
    assert (await watched(collector))[name] == ("built-in", 0.5)


async def test_what_was_told_can_be_given_back_without_what_it_says_of_itself(collector: Collecting) -> None:
    """Levels that are not there are null in the answer."""
    [told] = [one for one in (await collector.get("/v1/rules"))["items"] if one["name"] == "host-silent"]
    body = {key: value for key, value in told.items() if key not in {"origin", "author", "changed_ms"}}
    assert (await sent(collector, "PUT", "/host-silent", body))[0] == 200


@pytest.mark.parametrize(
    ("changes", "parameter", "why"),
    [
        ({"condition": "ocupancy"}, "condition", "did you mean 'occupancy'"),
        ({"severty": "page"}, "severty", "did you mean 'severity'"),
        ({"where": {"kind": ["conect"]}}, "where.kind", "did you mean 'connect'"),
        ({"raise_at": 1.5}, "raise_at", "need 0 < clear_at <= raise_at <= 1"),
        ({"raise_at": 10**400}, "raise_at", "a number is needed"),
        ({"channels": ["lgo"]}, "channels", "did you mean 'log'"),
        ({"name": "a\nb"}, "name", "printable"),
    ],
)
async def test_a_mistake_is_named_like_one_in_a_file(
    collector: Collecting, changes: dict[str, Any], parameter: str, why: str
) -> None:
    status, problem = await sent(collector, "POST", "", MINE | changes)
    assert (status, problem["parameter"]) == (400, parameter)
    assert why in problem["detail"]


async def test_the_path_and_the_body_name_the_same_rule(collector: Collecting) -> None:
    status, problem = await sent(collector, "PUT", "/other", MINE)
    assert (status, problem["parameter"]) == (400, "name")
    odd = MINE | {"name": "50 %/role: edge"}
    assert (await sent(collector, "PUT", f"/{quote(str(odd['name']), safe='')}", odd))[0] == 200
    assert (await sent(collector, "DELETE", "/a%00b"))[0] == 404


async def test_who_may_only_read_changes_nothing(collector: Collecting) -> None:
    for method, path in (("POST", ""), ("PUT", "/mine"), ("DELETE", "/mine")):
        assert (await sent(collector, method, path, MINE, Scope.READ))[0] == 403


async def test_a_rule_of_the_file_wins(collector: Collecting) -> None:
    object.__setattr__(collector.services, "rules", (FILE,))  # As another configuration would have it.
    status, problem = await sent(collector, "PUT", "/of-the-file", MINE | {"name": FILE.name})
    assert (status, problem["type"]) == (409, "urn:portgauge:problem:cannot-change")
    assert "configuration file" in problem["detail"]
    assert await watched(collector) == {FILE.name: ("file", 0.9)}


async def test_there_is_a_bound(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule costs a little at every report of every host."""
    monkeypatch.setattr("collector.api.rules.MOST_MADE", 1)
    assert (await sent(collector, "POST", "", MINE))[0] == 201
    assert (await sent(collector, "POST", "", MINE | {"name": "more"}))[0] == 409
    assert "more" not in await watched(collector)
