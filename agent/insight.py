"""What a sample alone does not tell, added to it: which pools failed connect() calls, and who holds the hot ones.

A check starts every minute, and mostly nothing is hot and nothing failed: what looks into it is loaded when it is.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent import tally
from agent.host import HostSample
from agent.netlink.errors import DumpError
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.netns import Atlas, UnknownNamespace
from agent.ownership import Claims, Ownership
from agent.sampling import HOT
from agent.tally import CONNECTED_STATES, Counts, Held, Summary, pools
from shared.limits import MAX_POOLS
from shared.model import Kind, Namespace, Pool, Reading, Remainder
from shared.tcp import State

if TYPE_CHECKING:
    from agent.failures import Failures
    from agent.owners import OwnerFinder

REFRESH_S = 30.0
"""How long what is known of a pool's owner counts as fresh."""
PAUSE_S = 5.0
"""Between two looks, however many pools become hot: a look costs up to a dump and 0.2 s."""
MOST_HOT = 100
"""Pools whose owners are looked for, the fullest first."""
MOST_UNLISTED = 100
"""Failing pools that are added to a sample which does not list them."""


@dataclass(slots=True)
class Insight:
    """Remembers owners between samples. Not for two threads at once."""

    atlas: Atlas = field(default_factory=Atlas)
    finder: "OwnerFinder | None" = None
    """Made with the first hot pool."""
    astray: int = 0
    """Failures so far that belong to no pool that was sampled."""
    _owners: dict[Pool, Ownership] = field(default_factory=dict)
    _asked_at_s: dict[Pool, float] = field(default_factory=dict)
    _looked_at_s: float = -1e9
    _named: tuple[Summary, ...] = ()
    """What was made of `_named_of` with the names of `_named_by`: a host where nothing moves tells the same again."""
    _named_of: tuple[Summary, ...] | None = None
    _named_by: dict[Pool, Ownership] | None = None

    def into(self, sample: HostSample, now_s: float, failures: "Failures | None" = None) -> HostSample:
        """The sample with `failures` counted to their pools, and with the owners of pools that are hot or failing.

        `now_s` is monotonic. What cannot be looked into stays as the sample has it.
        """
        if failures:
            sample = self._with_failures(sample, failures)
        hot = [one.pool for one in sample.readings if one.pool.kind is not Kind.UDP and is_hot(one)][:MOST_HOT]
        self._look(sample, hot, now_s)
        if not self._owners:
            return sample
        if self._named_of is not sample.summaries or self._named_by is not self._owners:
            self._named = tuple(map(self._with_owners, sample.summaries))
            self._named_of, self._named_by = sample.summaries, self._owners
        return replace(sample, summaries=self._named)

    # --- failures ---------------------------------------------------------------------------------------------------

    def _with_failures(self, sample: HostSample, failures: "Failures") -> HostSample:
        from agent.failures import blame  # noqa: PLC0415 - see above

        blamed = blame(failures, [summary.namespace for summary in sample.summaries], sample.readings)
        listed = {one.pool for one in sample.readings}
        unlisted = [pool for pool in blamed.pools if pool not in listed]
        room = max(0, min(MOST_UNLISTED, MAX_POOLS - len(listed)))
        self.astray += blamed.astray + sum(blamed.pools[pool] for pool in unlisted[room:])
        return replace(
            sample,
            summaries=tuple(
                self._failing(summary, blamed.pools, [p for p in unlisted[:room] if p.netns == summary.namespace.name])
                for summary in sample.summaries
            ),
        )

    def _failing(self, summary: Summary, counts: Mapping[Pool, int], unlisted: Collection[Pool]) -> Summary:
        namespace = summary.namespace
        readings = [replace(one, failures=counts.get(one.pool, 0)) for one in summary.readings]
        held = self._held_beyond(namespace) if unlisted else {}
        for pool in unlisted:
            states = held.get(pool, {})
            readings.append(unlisted_reading(pool, states, namespace.capacity, counts[pool]))
            if states:
                rest = namespace.remainder
                left = Remainder(max(0, rest.pools - 1), max(0, rest.held - sum(states.values())), rest.max_held)
                namespace = replace(namespace, remainder=left)
        return replace(summary, namespace=namespace, readings=tuple(readings))

    def _held_beyond(self, namespace: Namespace) -> Held:
        """What pools hold that the sample does not list one by one; nothing where the namespace has ended since."""
        if not namespace.remainder.pools:
            return {}

        def count() -> Held:
            counts: Counts = Counter()
            with SockDiag() as diag:
                for buffer in diag.dump(both_families(CONNECTED_STATES, local_port_in([namespace.port_range]))):
                    tally.count(buffer, counts)
            return pools(counts, namespace.name)

        try:
            return self.atlas.inside(namespace.name, lambda _place: count())
        except (UnknownNamespace, DumpError):
            return {}

    # --- owners -----------------------------------------------------------------------------------------------------

    def _look(self, sample: HostSample, hot: Collection[Pool], now_s: float) -> None:
        """Ask anew for the owners that are due; forget pools that have cooled."""
        if not self._owners.keys() <= set(hot):
            self._owners = {pool: owner for pool, owner in self._owners.items() if pool in hot}
        self._asked_at_s = {pool: at_s for pool, at_s in self._asked_at_s.items() if pool in hot}
        refresh_s = REFRESH_S if sample.looked_at else math.inf  # Owners change no more than connections do.
        due = {pool for pool in hot if now_s - self._asked_at_s.get(pool, -math.inf) >= refresh_s}
        if not due or now_s - self._looked_at_s < PAUSE_S:
            return
        from agent.owners import OwnerFinder  # noqa: PLC0415 - see above

        self.finder = self.finder or OwnerFinder()
        self._looked_at_s = now_s
        claims: dict[Pool, Claims] = {}
        for summary in sample.summaries:
            claims |= self._claims(summary.namespace, {pool for pool in due if pool.netns == summary.namespace.name})
        found = self.finder.find(claims, now_s).items()
        self._owners = self._owners | {pool: better(self._owners.get(pool, Ownership()), one) for pool, one in found}
        self._asked_at_s |= dict.fromkeys(due, now_s)

    def _claims(self, namespace: Namespace, due: Collection[Pool]) -> dict[Pool, Claims]:
        from agent.owners import claims_on  # noqa: PLC0415 - see above

        def ask() -> dict[Pool, Claims]:
            with SockDiag() as diag:
                return claims_on(diag, namespace.port_range, due)

        try:
            return self.atlas.inside(namespace.name, lambda _place: ask()) if due else {}
        except (UnknownNamespace, DumpError):
            return {}

    def _with_owners(self, summary: Summary) -> Summary:
        owners = {pool: ownership.summary() for pool, ownership in self._owners.items()}
        return replace(
            summary, readings=tuple(replace(one, owner=owners.get(one.pool, "")) for one in summary.readings)
        )


def better(known: Ownership, found: Ownership) -> Ownership:
    """What to believe of a pool's owners: what was found last, unless it tells less.

    A pool that is all TIME_WAIT by now was held by those we saw before; processes may have been too many to look into.
    """
    known_processes, found_processes = (any(one.processes for one in each.owners) for each in (known, found))
    return known if not found.owners or (known_processes and not found_processes) else found


def is_hot(reading: Reading) -> bool:
    """Whether somebody will want to know whose pool it is."""
    return reading.occupancy >= HOT or reading.failures > 0


def unlisted_reading(pool: Pool, states: Mapping[State, int], capacity: int, failures: int) -> Reading:
    """A pool that failed and is not among those listed: what it holds leaves room, yet connect() found none.

    Its ports are blocked by binders that no list shows, its application keeps to a smaller range, or it was full
    between two samples: so as few as none are left.
    """
    held = min(sum(states.values()), capacity)
    return Reading(pool, held, capacity, 0, capacity - held, dict(states), failures)
