"""What is declared is what is served, read and told: the document cannot say another thing than the code does."""

import re
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema_rs import Draft202012Validator

import collector.api as package
from collector.access.token import Scope
from collector.api.openapi import document
from collector.api.operation import Operation
from collector.api.params import Params
from collector.api.routes import OPERATIONS, SNAPSHOTS
from collector.http import build_app
from collector.storage.database import Database
from collector.web.routes import add_page
from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting, collecting

ASKED = [one for one in OPERATIONS if one.method == "GET" and one.scope is Scope.READ]
VALUES = {
    "host": "lb1",
    "local": "127.0.0.1",
    "peer": "127.0.0.1:9001",
    "netns": "host",
    "from": "2026-11-22T10:00:00Z",
    "to": "2026-11-22T13:00:00Z",
    "step": "60",
    "quantiles": "0.5,1",
    "tier": "raw",
    "state": "firing",
    "order": "name",
    "channel": "log",
    "min_occupancy": "0.5",
    "limit": "2",
}


@pytest.fixture
async def collector(sqlite: Database) -> AsyncIterator[Collecting]:
    """On one backend: nothing here asks what a database does."""
    async with collecting(sqlite) as running:
        yield running


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """(method, path) of all that is served; HEAD comes with every GET."""
    found = ((one.method, one.resource.canonical) for one in app.router.routes() if one.resource)
    return {one for one in found if one[0] != "HEAD"}


def query_of(operation: Operation) -> dict[str, str]:
    return {one.name: VALUES[one.name] for one in operation.query if one.name in VALUES}


async def test_what_is_served_is_declared_and_the_other_way_round(collector: Collecting) -> None:
    """A page for people is no part of it."""
    page = web.Application()
    add_page(page)
    served = routes_of(build_app(collector.services)) - routes_of(page)
    assert served == {operation.key for operation in (*OPERATIONS, SNAPSHOTS)}


@pytest.mark.parametrize("operation", ASKED, ids=lambda one: one.path)
async def test_every_declared_parameter_is_heeded(
    collector: Collecting, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is read and not declared is refused by Params itself."""
    seen: list[Params] = []

    class Recorded(Params):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            seen.append(self)

    monkeypatch.setattr("collector.api.operation.Params", Recorded)
    await collector.push(a_snapshot(a_reading(270)))
    async with collector.asked(operation.path.format(host="lb1"), **query_of(operation)) as response:
        assert response.status == 200, await response.text()
    assert seen[0].heeded == {one.name for one in operation.query}


def test_handlers_read_their_query_by_what_is_declared() -> None:
    """Params made by hand in a handler would take what no document tells."""
    folder = Path(package.__file__).parent
    by_hand = [file.name for file in folder.glob("*.py") if re.search(r"\bParams\(request", file.read_text())]
    assert by_hand == ["operation.py"]


def closed(schema: Any) -> Any:
    """The schema with no room for keys that it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items()}
    if "properties" in made and isinstance(made["properties"], dict):
        made.setdefault("additionalProperties", False)
    return made


@pytest.mark.parametrize("operation", [one for one in ASKED if one.answer], ids=lambda one: one.path)
async def test_an_answer_has_the_documented_keys_and_no_other(fleet: Collecting, operation: Operation) -> None:
    said = document((*OPERATIONS, SNAPSHOTS))
    response = said["paths"][operation.path]["get"]["responses"]["200"]
    schema = response["content"]["application/json"]["schema"]
    whole = closed({**deepcopy(schema), "components": said["components"]})
    needed = {one.name: VALUES[one.name] for one in operation.query if one.is_required or one.name in {"from", "to"}}
    answer = await fleet.get(operation.path.format(host="lb1"), **needed)
    Draft202012Validator(whole).validate(answer)
    if "items" in answer and operation.path != "/v1/drift":
        assert answer["items"]


@pytest.fixture
async def fleet(collector: Collecting) -> Collecting:
    """A little of everything: history, alerts, notices, a silence, a rollout, an agent of an older version."""
    hour_ms = 3_600_000
    for seq, held in enumerate((100, 150, 270), start=1):
        at_ms = collector.clock() - (3 - seq) * hour_ms
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=at_ms))
    await collector.evaluate()
    await collector.compact()
    await collector.push(replace(a_snapshot(host="lb2"), agent_version="0.0.9"))
    ends_ms = collector.clock() + 60_000
    await ask(collector, "/v1/silences", {"author": "ops", "reason": "r", "ends_ms": ends_ms, "where": {"host": ["x"]}})
    await ask(collector, "/v1/rollouts", {"author": "ops", "reason": "r", "settings": {"interval_s": 5}})
    return collector


async def ask(collector: Collecting, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {await collector.token(Scope.ADMIN)}"}
    async with collector.session.post(f"{collector.url}{path}", json=body, headers=headers) as response:
        assert response.status == 201, await response.text()
