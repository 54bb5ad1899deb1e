"""Questions over the fleet, asked of the API, on both databases."""

from typing import Any

import pytest
from sqlalchemy import update

from collector.history.tiers import HOUR_MS
from collector.storage import tables
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

LATER_MS = NOON_MS + 24 * HOUR_MS


@pytest.fixture
async def settled(collector: Collecting) -> Collecting:
    """Two hosts, two days: lb1's pool climbs from 10 % to 90 %, lb2's falls from 50 % to 40 %."""
    for day, (one, two) in enumerate(((30, 150), (270, 120))):
        at_ms = NOON_MS + day * 24 * HOUR_MS
        collector.clock.now_ms = at_ms
        await collector.push(
            a_snapshot(a_reading(one), host="lb1", seq=day, taken_at_ms=at_ms),
            a_snapshot(a_reading(two, pool=a_pool(9002)), host="lb2", seq=day, taken_at_ms=at_ms),
        )
    collector.clock.turn(3_600)
    await collector.compact()
    return collector


async def asked(collector: Collecting, path: str, **query: str | float) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await collector.get(path, **query))["items"]
    return items


async def test_the_top_of_a_window(settled: Collecting) -> None:
    day = await asked(settled, "/v1/top")
    assert [(one["host"], one["occupancy"], one["hour_ms"]) for one in day] == [
        ("lb1", pytest.approx(0.9, abs=1e-4), LATER_MS),
        ("lb2", pytest.approx(0.4, abs=1e-4), LATER_MS),
    ]
    assert day[0]["peer_port"] == 9001
    both = await asked(settled, "/v1/top", from_=NOON_MS / 1000, limit=1)
    assert [one["host"] for one in both] == ["lb1"]
    first = await asked(settled, "/v1/top", from_=NOON_MS / 1000, to=NOON_MS / 1000 + 3600)
    assert [one["host"] for one in first] == ["lb2", "lb1"]


async def test_the_fastest_climbers(settled: Collecting) -> None:
    [only] = await asked(settled, "/v1/growth", from_=NOON_MS / 1000 - 7200)
    assert (only["host"], only["rise"]) == ("lb1", pytest.approx(0.8, abs=1e-4))


async def test_who_presses_on_a_backend(settled: Collecting) -> None:
    found = await asked(settled, "/v1/peers", peer="127.0.0.1:9002")
    assert [one["host"] for one in found] == ["lb2"]
    assert len(await asked(settled, "/v1/peers", peer="127.0.0.1")) == 2
    assert await asked(settled, "/v1/peers", peer="10.1.1.1:80") == []


async def test_near_misses_by_week(settled: Collecting) -> None:
    found = await asked(settled, "/v1/near-misses", limit=1)
    assert [(one["host"], one["margin"]) for one in found] == [("lb1", pytest.approx(0.1, abs=1e-4))]


@pytest.mark.parametrize("step_s", [60, 600, 3600, 7200])
async def test_quantiles_over_time(settled: Collecting, step_s: int) -> None:
    answer = await settled.get("/v1/fleet", from_=LATER_MS / 1000, to=LATER_MS / 1000 + 7200, step=step_s)
    first, *rest = answer["points"]
    assert first["pool_minutes"] == 2
    assert first["occupancy"] == [0.405, 0.905, 0.905, 0.905]
    assert all(point["occupancy"] == [None] * 4 for point in rest)


async def test_what_cannot_be_read_is_left_out(settled: Collecting) -> None:
    async with settled.db.writing() as connection:
        await connection.execute(update(tables.peak_hour).values(body=b"broken"))
        await connection.execute(update(tables.fleet_hour).values(total=b"broken"))
    assert await asked(settled, "/v1/top") == []
    answer = await settled.get("/v1/fleet", step=3600)
    assert {point["pool_minutes"] for point in answer["points"]} == {0}


async def test_room_and_reach_are_told(settled: Collecting) -> None:
    told = await settled.get("/v1/storage")
    assert told["bytes"] > 0
    assert told["chunks_set_aside"] == 0
    assert [tier["tier"] for tier in told["tiers"]] == ["raw", "minute", "hour"]
    assert told["tiers"][0]["oldest_ms"] == NOON_MS


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/v1/top", {"limit": "0"}, "limit"),
        ("/v1/top", {"from": "yesterday"}, "from"),
        ("/v1/top", {"from": "1", "to": "1"}, "to"),
        ("/v1/top", {"from": "1"}, "from"),
        ("/v1/top", {"form": "1"}, "form"),
        ("/v1/growth", {"limit": "x"}, "limit"),
        ("/v1/peers", {}, "peer"),
        ("/v1/peers", {"peer": "backend"}, "peer"),
        ("/v1/near-misses", {"to": "never"}, "to"),
        ("/v1/fleet", {"step": "90"}, "step"),
        ("/v1/fleet", {"quantiles": "0.5,2"}, "quantiles"),
        ("/v1/fleet", {"quantiles": "half"}, "quantiles"),
        ("/v1/fleet", {"step": "60", "from": "1"}, "step"),
        ("/v1/drift", {"role": "edge"}, "role"),
        ("/v1/storage", {"x": "1"}, "x"),
    ],
)
async def test_a_mistake_names_its_parameter(
    collector: Collecting, path: str, query: dict[str, str], parameter: str
) -> None:
    problem = await collector.refused(path, **query)
    assert (problem["status"], problem["parameter"]) == (400, parameter)
