"""Rollouts, kept."""

from dataclasses import replace

from collector.alerts.where import Where
from collector.rollout.plan import Plan, State
from collector.storage import rollouts
from collector.storage.database import Database
from shared.tuning import Tuning
from tests.builders import NOON_MS

PLAN = Plan(
    author="ops", reason="r", settings=Tuning(thresholds=(0.5, 1.0)), where=Where(role=("edge",)), canaries=("a",)
)


async def test_a_rollout_comes_back_as_it_stands_and_nobody_overwrites_a_person(db: Database) -> None:
    async with db.writing() as connection:
        number = await rollouts.add(connection, PLAN, NOON_MS)
        [made] = await rollouts.running(connection)
        assert (made.id, made.plan, made.step) == (number, PLAN, 0)
        on = replace(made, step=1, step_ms=NOON_MS + 1, baseline={"a": {"cpu_ms": 1}})
        assert await rollouts.save(connection, made, on)
        assert await rollouts.find(connection, number) == on
        assert await rollouts.turn(connection, number, State.PAUSED, [State.RUNNING], NOON_MS + 2)
        assert not await rollouts.save(connection, on, replace(on, step=2))
        assert await rollouts.running(connection) == []
        assert await rollouts.turn(connection, number, State.RUNNING, [State.PAUSED], NOON_MS + 3)
        [resumed] = await rollouts.newest(connection)
        assert (resumed.step, resumed.step_ms, resumed.baseline) == (1, NOON_MS + 3, {})
        assert await rollouts.find(connection, number + 1) is None
