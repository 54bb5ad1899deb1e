"""GET /v1/export."""

import pytest

from tests.builders import a_reading, a_snapshot
from tests.collecting import Collecting


async def test_an_hour_of_everybody_unless_told_otherwise(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(7), host="lb1"), a_snapshot(a_reading(8), host="lb2"))
    async with collector.asked("/v1/export") as response:
        text = await response.text()
    assert response.content_type == "text/csv"
    assert [line.split(",")[1] for line in text.splitlines()] == ["host", "lb1", "lb2"]


@pytest.mark.parametrize(
    ("query", "parameter"), [({"tier": "day"}, "tier"), ({"from": "1"}, "from"), ({"x": "1"}, "x")]
)
async def test_a_mistake_names_its_parameter(collector: Collecting, query: dict[str, str], parameter: str) -> None:
    assert (await collector.refused("/v1/export", **query))["parameter"] == parameter
