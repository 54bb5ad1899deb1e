"""Which revision each host is to have, as of a moment ago: asked with every push, so kept in memory."""

import asyncio
from collections.abc import Mapping

from collector.alerts.where import Place
from collector.fleet.host import Reported
from collector.rollout.plan import Rollout, revision_for
from collector.storage import rollouts
from collector.storage.database import Database

REST_S = 1.0
MOST_REMEMBERED = 100_000


Known = tuple[Mapping[str, str], int]
"""The labels with which a host reported, and its revision."""


class Releases:
    """What is rolled out, and to whom so far."""

    def __init__(self) -> None:
        self._rollouts: list[Rollout] = []
        self._known: dict[str, Known] = {}

    async def refresh(self, db: Database) -> bool:
        """Read anew. False: nothing is waiting (collector.loops)."""
        async with db.reading() as connection:
            found = await rollouts.newest(connection)
        if found != self._rollouts:
            self._rollouts = found
            self._known.clear()
        await asyncio.sleep(0)
        return False

    def revision_of(self, snapshot: Reported) -> int:
        """The revision that this host is to have; 0: none."""
        if not self._rollouts:
            return 0
        known = self._known.get(snapshot.host)
        if known and known[0] == snapshot.labels:
            return known[1]
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        found = revision_for(
            self._rollouts, Place(host=snapshot.host, role=snapshot.labels.get("role", ""), labels=snapshot.labels)
        )
        self._known[snapshot.host] = (snapshot.labels, found.id if found else 0)
        return self._known[snapshot.host][1]
