"""POST /v1/replay."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from collector.replay.past import LineShape, Replay
from collector.storage.errors import DatabaseUnusable
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting

RULE = {"name": "mine", "severity": "page", "raise_at": 0.6}


async def asked(collector: Collecting, **body: Any) -> tuple[int, list[dict[str, Any]]]:
    """Status, and every line of the answer."""
    headers = {"Authorization": f"Bearer {collector.tokens['read']}"}
    async with collector.session.post(f"{collector.url}/v1/replay", json=body, headers=headers) as response:
        return response.status, [json.loads(line) for line in (await response.text()).splitlines()]


async def test_lines_come_as_they_are_found_and_the_last_sums_up(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(200)))
    collector.clock.turn(20)
    status, lines = await asked(collector, from_ms=NOON_MS, rules=[RULE])
    assert status == 200
    moments = [line["moment"] for line in lines if "moment" in line]
    assert [(one["rule"], one["after"], one["held"]) for one in moments] == [("mine", "firing", 200)]
    assert lines[-1]["done"]["rules"] == ["mine"]
    assert lines[-1]["done"]["to_ms"] == collector.clock() + 1


async def test_without_rules_those_in_force_are_tried(collector: Collecting) -> None:
    _, lines = await asked(collector, from_ms=NOON_MS - 1)
    assert "pool-nearly-full" in lines[-1]["done"]["rules"]


@pytest.mark.parametrize(
    ("wrong", "parameter"),
    [
        ({"rules": [RULE | {"condition": "ocupancy"}]}, "rules[0].condition"),
        ({"rules": [RULE, RULE]}, "rules"),
        ({"from_ms": NOON_MS + 1}, "to_ms"),
        ({"from_ms": 0}, "from_ms"),
        ({"to_ms": 2**53}, "to_ms"),
        ({"where": {"kind": ["conect"]}}, "where.kind"),
    ],
)
async def test_a_mistake_is_named(collector: Collecting, wrong: dict[str, Any], parameter: str) -> None:
    status, [problem] = await asked(collector, **{"from_ms": NOON_MS - 1000, **wrong})
    assert (status, problem["parameter"]) == (400, parameter)


async def test_one_at_a_time(collector: Collecting) -> None:
    """It takes a core for as long as it lasts, and the collector has other things to do."""
    async with collector.services.replaying:
        status, [problem] = await asked(collector, from_ms=NOON_MS - 1)
    assert (status, problem["type"]) == (503, "urn:portgauge:problem:overloaded")
    assert (await asked(collector, from_ms=NOON_MS - 1))[0] == 200


async def test_a_database_that_fails_on_the_way_is_the_last_line(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_replay: Replay) -> AsyncGenerator[LineShape, None]:
        yield {"until_ms": NOON_MS}
        raise DatabaseUnusable("there", "is gone")

    monkeypatch.setattr(Replay, "lines", broken)
    status, lines = await asked(collector, from_ms=NOON_MS - 1)
    assert (status, lines[-1]) == (200, {"error": "the database cannot be used at the moment"})
