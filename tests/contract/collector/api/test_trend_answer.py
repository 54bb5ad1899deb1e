"""GET /v1/trend, answered. How a query becomes a window is in tests/unit."""

from typing import Any

import pytest

from shared.model import Remainder
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

POOL = {"host": "lb1", "local": "127.0.0.1", "peer": "127.0.0.1:9001"}


async def points(collector: Collecting, **query: str | float) -> list[dict[str, Any]]:
    answer = await collector.get("/v1/trend", **(POOL | query))
    items: list[dict[str, Any]] = answer["points"]
    return items


def at(second: int) -> int:
    return NOON_MS + second * 1000


async def test_a_trend_has_the_peak_and_gaps(collector: Collecting) -> None:
    collector.clock.turn(60)
    for seq, (second, held) in enumerate([(0, 100), (5, 300), (10, 50), (35, 70)]):
        await collector.push(a_snapshot(a_reading(held), seq=seq, taken_at_ms=at(second)))
    found = await points(collector, from_=at(0) / 1000, to=at(40) / 1000, step=10)
    assert [(point["min"], point["mean"], point["max"]) for point in found] == [
        (100, 200.0, 300),
        (50, 50.0, 50),
        (None, None, None),
        (70, 70.0, 70),
    ]
    assert found[2] == {"at_ms": at(20), "min": None, "mean": None, "max": None, "capacity": None}


async def test_backlog_fills_the_gap_where_it_was_taken(collector: Collecting) -> None:
    """Newest first after an outage: the order of arrival is not the order of events."""
    collector.clock.turn(60)
    for seq in (3, 1, 2):
        await collector.push(a_snapshot(a_reading(seq * 10), seq=seq, taken_at_ms=at(seq * 10)))
    found = await points(collector, from_=at(10) / 1000, to=at(40) / 1000, step=10)
    assert [point["max"] for point in found] == [10, 20, 30]


async def test_a_pool_that_is_not_listed_held_nothing_where_all_are_listed(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(9, pool=a_pool(9002))))
    found = await points(collector, from_=at(-1) / 1000, to=at(1) / 1000, step=1)
    assert [point["max"] for point in found] == [None, 0]


async def test_a_pool_that_is_not_listed_is_a_gap_where_some_are_left_out(collector: Collecting) -> None:
    partial = a_namespace(remainder=Remainder(pools=3, held=9, max_held=5))
    await collector.push(a_snapshot(namespaces=[partial]))
    assert {point["max"] for point in await points(collector)} == {None}


async def test_a_failure_is_a_gap(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(9), seq=1, taken_at_ms=at(-600)), a_failure(seq=2))
    found = await points(collector, from_=at(-600) / 1000, to=at(1) / 1000, step=60)
    assert (found[0]["max"], found[-1]["max"]) == (9, None)


async def test_the_default_is_the_last_hour_up_to_now(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(42)))
    answer = await collector.get("/v1/trend", **POOL)
    assert answer["points"][-1]["max"] == 42
    assert answer["step_ms"] == 30_000


async def test_a_host_with_several_namespaces_is_asked_which(collector: Collecting) -> None:
    both = [a_namespace("blue"), a_namespace("green")]
    await collector.push(a_snapshot(namespaces=both))
    problem = await collector.refused("/v1/trend", **POOL)
    assert (problem["status"], problem["parameter"]) == (400, "netns")
    assert "blue, green" in problem["detail"]
    assert (await collector.get("/v1/trend", netns="blue", **POOL))["netns"] == "blue"


async def test_the_only_namespace_that_lists_the_pool_is_meant(collector: Collecting) -> None:
    both = [a_namespace("blue"), a_namespace("green")]
    await collector.push(a_snapshot(a_reading(9, pool=a_pool(netns="green")), namespaces=both))
    assert (await collector.get("/v1/trend", **POOL))["netns"] == "green"


async def test_an_unknown_host_is_404(collector: Collecting) -> None:
    assert (await collector.refused("/v1/trend", **POOL))["status"] == 404


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"host": ""}, "host"),
        ({"local": ""}, "local"),
        ({"local": "here"}, "local"),
        ({"peer": "127.0.0.1"}, "peer"),
        ({"step": "0.0001"}, "step"),
        ({"from": "0", "step": "1"}, "step"),
        ({"to": "then"}, "to"),
    ],
)
async def test_a_mistake_is_named(collector: Collecting, query: dict[str, str], parameter: str) -> None:
    await collector.push(a_snapshot(a_reading()))
    problem = await collector.refused("/v1/trend", **(POOL | query))
    assert (problem["status"], problem["parameter"]) == (400, parameter)
