"""The leader's look at what is rolled out: once a second each rollout goes a step, or stops."""

from collections.abc import Callable

from collector.rollout.step import step
from collector.storage import audit, hosts, rollouts
from collector.storage.audit import Deed
from collector.storage.database import Database

REST_S = 1.0


class Steward:
    """Over a database that lets only the leader write."""

    def __init__(self, db: Database, *, clock: Callable[[], int]) -> None:
        self._db, self._clock = db, clock
        self._listening_ms = clock()

    async def look(self) -> bool:
        """Take every running rollout a step. False: nothing is waiting (collector.loops)."""
        async with self._db.reading() as connection:
            running = await rollouts.running(connection)
            fleet = await hosts.all_hosts(connection) if running else []
        now_ms = self._clock()
        for before in running:
            after = step(before, fleet, now_ms, listening_ms=self._listening_ms)
            if after == before:
                continue
            moved = (after.state, after.step) != (before.state, before.step)
            detail = {
                "revision": after.id,
                "state": after.state.value,
                "percent": after.percent,
                "why": after.why or None,
            }
            deed = Deed(at_ms=now_ms, actor="leader", action="rollout-step", detail=detail)
            async with self._db.writing() as connection:
                is_written = await rollouts.save(connection, before, after)
                if is_written and moved:
                    await audit.note(connection, deed)
            if is_written and moved:
                audit.say(deed)
        return False
