"""GET /v1/plan, and `portgauge-collector plan`, on both databases."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from collector.__main__ import main
from collector.api import plan as planning
from collector.commands.planned import below
from collector.history.tiers import DAY_MS
from tests.builders import a_namespace, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting
from tests.growing import DAYS, grow


@pytest.fixture
async def grown(collector: Collecting) -> Collecting:
    await grow(collector)
    return collector


def date_ms(plan: dict[str, Any], days: int) -> int:
    last_day_ms: int = plan["last_day_ms"]
    return last_day_ms + days * DAY_MS


async def test_the_plan_says_when_what_is_needed_and_what_doing_nothing_costs(grown: Collecting) -> None:
    plan = await grown.get("/v1/plan", horizon=60)

    [item] = plan["items"]
    seen = item["outlook"]
    assert (seen["peak"], seen["projected"]) == (202, 382)
    assert seen["page"]["at_ms"] == date_ms(plan, 18)
    assert seen["full"]["at_ms"] == date_ms(plan, 33)
    assert seen["needs"] == {"backends": 2, "destinations": 2, "sources": 2, "hosts": 2}
    assert plan["cost"]["refused"] == seen["refused"] == 82
    assert (plan["cost"]["paging"], plan["cost"]["spent"], plan["cost"]["unknown"]) == (1, 1, 0)
    assert (plan["looked_at"], plan["passed_over"]) == (1, 0)
    assert (item["what_if"], plan["cost_what_if"], plan["widening"]) == (None, None, None)


async def test_what_was_seen_for_five_weeks_says_nothing_of_two_years(grown: Collecting) -> None:
    plan = await grown.get("/v1/plan", horizon=730)

    assert plan["items"][0]["outlook"]["projected"] is None
    assert plan["cost"]["unknown"] == 1


async def test_what_if_a_backend_were_added(grown: Collecting) -> None:
    plan = await grown.get("/v1/plan", horizon=60, add_backends=1)

    then = plan["items"][0]["what_if"]
    assert (then["peak"], then["projected"], then["refused"]) == (101, 191, 0)
    assert plan["cost_what_if"]["spent"] == 0


async def test_a_wider_range_is_not_called_safe_where_a_host_does_not_tell(grown: Collecting) -> None:
    plan = await grown.get("/v1/plan", horizon=60, range="20000-60999")

    [role] = plan["widening"]
    assert (role["role"], role["verdict"], role["unknown"]) == ("edge", "unknown", ["lb1"])
    assert plan["items"][0]["what_if"]["refused"] == 0


async def test_pools_that_were_passed_over_are_counted_and_those_not_shown_are_part_of_the_cost(
    grown: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = [a_reading(5, pool=a_pool(9_100 + number)) for number in range(4)]
    await grown.push(a_snapshot(*beside, a_reading(150), seq=DAYS, taken_at_ms=grown.clock()))
    grown.clock.turn(DAY_MS / 1000)
    await grown.compact()

    whole = await grown.get("/v1/plan", horizon=60, limit=1)
    monkeypatch.setattr(planning, "LOOKED_AT", 2)
    two = await grown.get("/v1/plan", horizon=60, limit=2)

    assert [len(whole["items"]), whole["looked_at"], whole["passed_over"], whole["cost"]["pools"]] == [1, 5, 0, 5]
    assert [len(two["items"]), two["looked_at"], two["passed_over"]] == [2, 2, 3]
    assert "; 3 others are less full" in below(two)
    assert "; the 1 above come first" in below(whole)


async def test_a_range_of_odd_size_is_told_with_the_even_one(grown: Collecting) -> None:
    [role] = (await grown.get("/v1/plan", horizon=60, range="20000-60998"))["widening"]

    assert (role["capacity_after"], role["better_range"]) == (40_998, "20000-60999")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"horizon": 0}, "horizon"),
        ({"horizon": 731}, "horizon"),
        ({"add_backends": -1}, "add_backends"),
        ({"range": "9-5"}, "range"),
        ({"range": "wide"}, "range"),
        ({"range": "9" * 5_000 + "-1"}, "range"),
        ({"peer": "nowhere"}, "peer"),
        ({"limit": 101}, "limit"),
    ],
)
async def test_a_question_that_cannot_be_answered_names_its_parameter(
    collector: Collecting, query: dict[str, Any], parameter: str
) -> None:
    problem = await collector.refused("/v1/plan", **query)

    assert (problem["status"], problem["parameter"]) == (400, parameter)


async def test_the_command_prints_a_table_with_its_sums_and_the_lines_to_set(
    grown: Collecting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text(grown.tokens["read"])
    options = ["plan", "--horizon", "60", "--range", "20000-60999", "--url", grown.url, "--token-file", str(file)]

    assert await asyncio.to_thread(main, options) == 0
    printed = capsys.readouterr().out
    assert await asyncio.to_thread(main, [*options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert await asyncio.to_thread(main, [*options, "--csv"]) == 0
    csv = capsys.readouterr().out

    assert "doing nothing, 60 days ahead: of 1 pools 1 page" in printed
    assert " 202 300 3.0 2027-01-13 2027-01-28 382 " in " ".join(printed.splitlines()[1].split())
    assert "peak 202 + 60 d × 3.0 a day = 382" in printed
    assert 'sysctl -w net.ipv4.ip_local_port_range="20000 60999"' in printed
    assert "not safe to set yet" in printed
    assert document["items"][0]["outlook"]["projected"] == 382
    assert csv.splitlines()[0].startswith("host,role,netns,kind")
    assert ",2,2,2,2," in csv.splitlines()[1]


async def test_hosts_that_never_sampled_are_named(collector: Collecting) -> None:
    await collector.push(a_snapshot(failure="no right", namespaces=[a_namespace()]))

    assert (await collector.get("/v1/plan"))["left_out"] == ["lb1"]
