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


async def test_what_has_halted_says_why_until_a_person_decides(db: Database) -> None:
    async with db.writing() as connection:
        await rollouts.add(connection, PLAN, NOON_MS)
        number = await rollouts.add(connection, PLAN, NOON_MS)
        made = await rollouts.find(connection, number)
        assert made
        assert await rollouts.halted(connection) == {}
        assert await rollouts.save(connection, made, replace(made, state=State.HALTED, why="a was restarted"))
        assert await rollouts.halted(connection) == {str(number): "a was restarted"}
        assert await rollouts.turn(connection, number, State.ABORTED, [State.HALTED], NOON_MS + 1)
        assert await rollouts.halted(connection) == {}


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
