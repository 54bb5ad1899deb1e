"""Which revision a host is to have, remembered until something is rolled out."""

from dataclasses import replace

from collector.rollout.plan import Plan, State
from collector.rollout.releases import Releases
from collector.storage import rollouts
from collector.storage.database import Database
from shared.tuning import Tuning
from tests.builders import NOON_MS, a_snapshot


async def test_an_abort_takes_the_host_back_at_the_next_look(db: Database) -> None:
    releases, snapshot = Releases(), a_snapshot(host="lb1")
    assert releases.revision_of(snapshot) == 0
    plan = Plan(author="ops", reason="r", settings=Tuning(probe=False), canaries=("lb1",))
    async with db.writing() as connection:
        number = await rollouts.add(connection, plan, NOON_MS)
    await releases.refresh(db)
    assert releases.revision_of(snapshot) == number
    assert releases.revision_of(replace(snapshot, host="lb2")) == 0
    async with db.writing() as connection:
        await rollouts.turn(connection, number, State.ABORTED, list(State), NOON_MS)
    await releases.refresh(db)
    assert releases.revision_of(snapshot) == 0
