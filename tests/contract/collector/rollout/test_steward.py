"""The leader takes rollouts a step, and says so; the answer to a push tells each host its revision."""

from dataclasses import replace

from collector.alerts.where import Where
from collector.rollout.plan import Plan, Rollout, State
from collector.rollout.steward import Steward
from collector.storage import audit, rollouts
from shared import wire
from shared.model import AgentState, Snapshot
from shared.tuning import Tuning
from tests.builders import a_snapshot
from tests.collecting import Collecting

PLAN = Plan(
    author="ops",
    reason="r",
    settings=Tuning(interval_s=5.0),
    where=Where(role=("edge",)),
    canaries=("lb1",),
    steps=(100,),
    bake_s=60,
)


class Story:
    """lb1, the canary, and lb2."""

    def __init__(self, collector: Collecting) -> None:
        self.collector, self.seq = collector, 0
        self.steward = Steward(collector.db, clock=collector.clock)

    async def begin(self) -> int:
        async with self.collector.db.writing() as connection:
            return await rollouts.add(connection, PLAN, self.collector.clock())

    async def tell(self, host: str, revision: int, failure: str | None = None) -> int:
        """Push, and answer the revision that this host is to have."""
        self.seq += 1
        made: Snapshot = a_snapshot(host=host, seq=self.seq, taken_at_ms=self.collector.clock())
        made = replace(
            made, labels={"role": "edge"}, state=AgentState(started_ms=1, revision=revision), failure=failure
        )
        status, answer = await self.collector.post(wire.encode(made))
        assert status == 202
        return int(answer["config_revision"])

    async def look(self) -> Rollout:
        await self.steward.look()
        await self.collector.services.releases.refresh(self.collector.db)
        async with self.collector.db.reading() as connection:
            return (await rollouts.newest(connection))[0]


async def test_a_rollout_reaches_its_canary_then_everybody_and_is_done(collector: Collecting) -> None:
    story = Story(collector)
    assert [await story.tell(host, 0) for host in ("lb1", "lb2")] == [0, 0]
    number = await story.begin()
    await story.look()
    assert [await story.tell(host, 0) for host in ("lb1", "lb2")] == [number, 0]
    collector.clock.turn(61)
    await story.tell("lb1", number)
    assert (await story.look()).step == 1
    assert await story.tell("lb2", 0) == number
    collector.clock.turn(61)
    assert [await story.tell(host, number) for host in ("lb1", "lb2")] == [number, number]
    assert (await story.look()).state is State.DONE
    async with collector.db.reading() as connection:
        deeds = await audit.newest(connection, limit=9)
    assert [deed.detail["state"] for deed in deeds] == ["done", "running"]


async def test_a_canary_that_goes_blind_halts_it_and_nobody_else_is_given_it(collector: Collecting) -> None:
    story = Story(collector)
    await story.tell("lb1", 0)
    number = await story.begin()
    await story.look()
    await story.tell("lb1", number, failure="the kernel refused")
    halted = await story.look()
    assert (halted.state, halted.why) == (State.HALTED, "lb1 has gone blind: the kernel refused")
    collector.clock.turn(600)
    assert await story.tell("lb2", 0) == 0
    assert (await story.look()).state is State.HALTED


async def test_a_collector_that_was_down_for_long_goes_on_with_what_it_began(collector: Collecting) -> None:
    """While it was away it heard of nobody: that is not the hosts' fault, nor the revision's."""
    story = Story(collector)
    await story.tell("lb1", 0)
    number = await story.begin()
    await story.look()
    collector.clock.turn(3600)
    story.steward = Steward(collector.db, clock=collector.clock)
    assert (await story.look()).state is State.RUNNING
    await story.tell("lb1", number)
    assert (await story.look()).step == 1
