"""GET /v1/export."""

import csv

import pytest

from collector.fleet.forgetting import forget
from collector.history.tiers import RAW
from collector.storage import chunks
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_an_hour_of_everybody_unless_told_otherwise(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(7), host="lb1"), a_snapshot(a_reading(8), host="lb2"))
    async with collector.asked("/v1/export") as response:
        text = await response.text()
    assert response.content_type == "text/csv"
    assert [line.split(",")[1] for line in text.splitlines()] == ["host", "lb1", "lb2"]


async def test_everybody_is_also_who_was_forgotten(collector: Collecting) -> None:
    """The outage of a machine is often asked about after the machine is gone."""
    await collector.push(a_snapshot(a_reading(7), host="lb1"), a_snapshot(a_reading(8), host="lb2"))
    await forget(collector.db, "lb1", "somebody", collector.clock())
    async with collector.asked("/v1/export") as response:
        rows = list(csv.DictReader((await response.text()).splitlines()))
    assert [(row["host"], row["held"]) for row in rows] == [("lb1", "7"), ("lb2", "8")]


async def test_a_chunk_that_was_set_aside_is_told_as_lost(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(7)))
    collector.clock.turn(1_200)
    await collector.compact()
    async with collector.db.writing() as connection:
        await chunks.set_aside(connection, RAW, (1, NOON_MS), "broken", collector.clock())
    for tier in ("raw", "minute", "hour"):
        async with collector.asked("/v1/export", tier=tier) as response:
            [row] = csv.DictReader((await response.text()).splitlines())
        assert (row["at_ms"], row["host"], row["lost_until_ms"]) == (str(NOON_MS), "lb1", str(NOON_MS + RAW.span_ms))


@pytest.mark.parametrize(
    ("query", "parameter"), [({"tier": "day"}, "tier"), ({"from": "1"}, "from"), ({"x": "1"}, "x")]
)
async def test_a_mistake_names_its_parameter(collector: Collecting, query: dict[str, str], parameter: str) -> None:
    assert (await collector.refused("/v1/export", **query))["parameter"] == parameter
