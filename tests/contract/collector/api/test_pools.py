"""GET /v1/pools."""

from dataclasses import replace

import pytest

from shared import wire
from shared.model import Evidence
from tests.builders import NOON_MS, a_failure, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

KEYS = {
    "host", "role", "netns", "kind", "local_ip", "peer_ip", "peer_port", "held", "capacity", "headroom_min",
    "headroom_max", "occupancy", "states", "owner", "failures", "knee", "recyclable", "taken_at_ms", "state",
    "evidence",
}  # fmt: skip


async def ports(collector: Collecting, **query: str | float) -> list[int]:
    return [item["peer_port"] for item in (await collector.get("/v1/pools", **query))["items"]]


@pytest.fixture
async def fleet(collector: Collecting) -> Collecting:
    """Two hosts, one of them with IPv6."""
    v6 = a_pool(9004, local="fd00::1", peer="fd00::2")
    await collector.push(
        a_snapshot(a_reading(100, pool=a_pool(9001)), a_reading(290, pool=a_pool(9002))),
        a_snapshot(a_reading(200, pool=a_pool(9003)), a_reading(50, pool=v6), host="lb2"),
    )
    return collector


async def test_the_hottest_comes_first_whatever_its_host(fleet: Collecting) -> None:
    items = (await fleet.get("/v1/pools"))["items"]
    assert [(item["host"], item["peer_port"]) for item in items] == [
        ("lb1", 9002),
        ("lb2", 9003),
        ("lb1", 9001),
        ("lb2", 9004),
    ]
    assert set(items[0]) == KEYS
    assert items[0]["states"] == {"ESTABLISHED": 290}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"host": "lb2"}, [9003, 9004]),
        ({"host": "lb9"}, []),
        ({"min_occupancy": 0.6}, [9002, 9003]),
        ({"limit": 1}, [9002]),
        ({"peer": "127.0.0.1"}, [9002, 9003, 9001]),
        ({"peer": "127.0.0.1:9001"}, [9001]),
        ({"peer": "[::ffff:127.0.0.1]:9001"}, [9001]),
        ({"peer": "fd00::2"}, [9004]),
        ({"peer": "[fd00::2]:9004"}, [9004]),
        ({"peer": "[fd00::2]:9005"}, []),
    ],
)
async def test_a_query_narrows(fleet: Collecting, query: dict[str, str | float], expected: list[int]) -> None:
    assert await ports(fleet, **query) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("peer", "nowhere"), ("min_occupancy", "1.5"), ("limit", "0"), ("limit", "all"), ("pear", "x")]
)
async def test_a_mistake_is_named(fleet: Collecting, name: str, value: str) -> None:
    problem = await fleet.refused("/v1/pools", **{name: value})
    assert (problem["status"], problem["parameter"]) == (400, name)


async def test_the_readings_of_a_silent_host_are_not_passed_off_as_fresh(fleet: Collecting) -> None:
    fleet.clock.turn(60)
    await fleet.push(a_snapshot(a_reading(10), host="lb3"))
    items = (await fleet.get("/v1/pools"))["items"]
    assert {(item["host"], item["state"]) for item in items} == {
        ("lb1", "unknown"),
        ("lb2", "unknown"),
        ("lb3", "ok"),
    }


async def test_a_blind_host_shows_what_it_last_saw_as_unknown(fleet: Collecting) -> None:
    await fleet.push(a_failure(seq=2))
    items = (await fleet.get("/v1/pools", host="lb1"))["items"]
    assert [(item["held"], item["state"]) for item in items] == [(290, "unknown"), (100, "unknown")]


async def test_only_the_newest_reading_is_told(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(10), seq=2), a_snapshot(a_reading(290), seq=1))
    assert [item["held"] for item in (await collector.get("/v1/pools"))["items"]] == [10]


async def test_the_time_told_is_when_it_was_taken(collector: Collecting) -> None:
    await collector.post(wire.encode(a_snapshot(a_reading(), taken_at_ms=collector.clock() - 700)))
    assert (await collector.get("/v1/pools"))["items"][0]["taken_at_ms"] == collector.clock() - 700


async def test_a_pool_tells_who_holds_it_what_failed_and_what_was_logged_of_it(collector: Collecting) -> None:
    said = Evidence(a_pool(9001), "haproxy", "no free ports", 12, NOON_MS)
    held = replace(a_reading(300, pool=a_pool(9001)), owner="haproxy.service, pid 1312", failures=12)
    await collector.push(replace(a_snapshot(held, a_reading(1, pool=a_pool(9002))), evidence=(said,)))
    first, second = (await collector.get("/v1/pools"))["items"]
    assert (first["owner"], first["failures"]) == ("haproxy.service, pid 1312", 12)
    told = {"program": "haproxy", "text": "no free ports", "count": 12, "last_at_ms": NOON_MS}
    assert (first["evidence"], second["evidence"]) == ([told], [])
