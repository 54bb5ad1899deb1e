"""The view of what is rolled out."""

from dataclasses import replace

from collector.rollout.plan import Plan
from collector.storage import rollouts
from shared.model import AgentState
from shared.tuning import Tuning
from tests.browsing import page_of
from tests.builders import a_snapshot
from tests.collecting import Collecting


async def test_rollouts_versions_and_hosts_that_differ_are_shown(collector: Collecting) -> None:
    page = await page_of(collector, path="/rollout")
    assert "Nothing was rolled out yet" in page
    assert "No host lags or differs" in page
    plan = Plan(author="ops", reason="CHG-1", settings=Tuning(interval_s=5.0), canaries=("lb1", "lb2"))
    async with collector.db.writing() as connection:
        number = await rollouts.add(connection, plan, collector.clock())
    state = AgentState(started_ms=1, failed=number, why="labels: <need> fewer")
    await collector.push(replace(a_snapshot(host="lb1"), state=state))
    await collector.push(a_snapshot(host="lb2"))
    page = await page_of(collector, path="/rollout")
    for shown in ("interval_s = 5.0", "ops: CHG-1", "labels: &lt;need&gt; fewer", "too old to take any", "not told"):
        assert shown in page
    assert "waits for lb1 and 1 more: not in force there yet" in page or "waits for lb2 and 1 more" in page


async def test_hosts_that_lag_are_listed_for_programs(collector: Collecting) -> None:
    await collector.push(a_snapshot(host="lb1"))
    await collector.push(replace(a_snapshot(host="lb2"), agent_version="0.0.1"))
    [item] = (await collector.get("/v1/lagging"))["items"]
    assert (item["host"], item["agent_version"]) == ("lb2", "0.0.1")
    assert item["why"].startswith("version 0.0.1, the newest is ")
