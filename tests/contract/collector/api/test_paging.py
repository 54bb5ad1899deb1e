"""Pages add up to their list, whatever comes and goes meanwhile."""

from typing import Any

import pytest

from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.storage import silences
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

HOSTS = ("lb1", "lb2", "lb3")
LISTS = ("/v1/hosts", "/v1/pools", "/v1/alerts", "/v1/transitions", "/v1/notices", "/v1/silences", "/v1/drift")


def readings(held: int) -> Any:
    return [a_reading(held + port, pool=a_pool(9000 + port)) for port in range(3)]


@pytest.fixture
async def fleet(collector: Collecting) -> Collecting:
    """Three hosts with three hot pools each, two of the pools equally full on all hosts; silences that end together."""
    for host in HOSTS:
        await collector.push(a_snapshot(*readings(265), host=host))
    await collector.evaluate()
    now_ms = collector.clock()
    async with collector.db.writing() as connection:
        for number in range(5):
            ends_ms = now_ms + 60_000 * (1 + number // 2)
            made = Silence(
                author="ops", reason="r", starts_ms=now_ms, ends_ms=ends_ms, where=Where(host=(f"x{number}",))
            )
            await silences.add(connection, made)
    return collector


async def walked(collector: Collecting, path: str, limit: int, **query: str) -> list[dict[str, Any]]:
    """All items, page by page."""
    page = await collector.get(path, limit=limit, **query)
    items: list[dict[str, Any]] = page["items"]
    while page["next"]:
        assert len(page["items"]) == limit
        page = await collector.get(path, limit=limit, cursor=page["next"], **query)
        items += page["items"]
    return items


@pytest.mark.parametrize("path", LISTS)
async def test_pages_add_up_to_the_list(fleet: Collecting, path: str) -> None:
    whole = await fleet.get(path)
    assert whole["next"] is None
    for limit in (1, 2, 1_000):
        assert await walked(fleet, path, limit) == whole["items"]
    if path != "/v1/drift":
        assert len(whole["items"]) >= 3


@pytest.mark.parametrize(("path", "order"), [("/v1/pools", "name"), ("/v1/alerts", "name"), ("/v1/pools", "occupancy")])
async def test_an_order_is_kept_from_page_to_page(fleet: Collecting, path: str, order: str) -> None:
    whole = (await fleet.get(path, order=order))["items"]
    assert await walked(fleet, path, 2, order=order) == whole
    if order == "name":
        assert [one["host"] for one in whole] == sorted(one["host"] for one in whole)


async def test_a_host_that_comes_meanwhile_shifts_nothing(fleet: Collecting) -> None:
    """By number of items skipped, lb2 would be told twice."""
    first = await fleet.get("/v1/hosts", limit=2)
    await fleet.push(a_snapshot(a_reading(1), host="a-new-one"))
    second = await fleet.get("/v1/hosts", limit=2, cursor=first["next"])
    assert [one["host"] for one in first["items"] + second["items"]] == list(HOSTS)


async def test_by_name_no_pool_is_missed_while_readings_change(fleet: Collecting) -> None:
    """In the order of occupancy a pool that cools meanwhile moves behind what was told."""
    first = await fleet.get("/v1/pools", limit=4, order="name")
    for seq, host in enumerate(HOSTS, start=2):
        await fleet.push(a_snapshot(*readings(100 // seq), host=host, seq=seq, taken_at_ms=fleet.clock() + 1))
    rest = await fleet.get("/v1/pools", order="name", cursor=first["next"])
    told = [(one["host"], one["peer_port"]) for one in first["items"] + rest["items"]]
    assert told == [(host, 9000 + port) for host in HOSTS for port in range(3)]


async def test_what_is_newer_than_the_first_page_is_not_told_on_the_second(fleet: Collecting) -> None:
    first = await fleet.get("/v1/transitions", limit=2)
    whole = (await fleet.get("/v1/transitions"))["items"]
    for host in HOSTS:
        await fleet.push(a_snapshot(*readings(10), host=host, seq=2, taken_at_ms=fleet.clock() + 1))
    await fleet.evaluate()
    rest = await fleet.get("/v1/transitions", limit=1_000, cursor=first["next"])
    assert first["items"] + rest["items"] == whole


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_of_nowhere_is_refused(fleet: Collecting, path: str) -> None:
    problem = await fleet.refused(path, cursor="AAAA")
    assert (problem["status"], problem["parameter"]) == (400, "cursor")


@pytest.mark.parametrize("path", LISTS)
async def test_limits_have_bounds(fleet: Collecting, path: str) -> None:
    for limit in (0, 10_001):
        assert (await fleet.refused(path, limit=limit))["parameter"] == "limit"
