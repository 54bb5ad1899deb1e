"""Sampling every network namespace of this host, one after the other, in one blocking call."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from agent import counters
from agent.cadence import Baseline, Counters, Fullness, Place, baseline
from agent.counters import OwnCounters
from agent.errors import SamplingFailed
from agent.hidden import HiddenBinders
from agent.model import NetnsId
from agent.netlink.errors import DumpError
from agent.netns import OWN, Atlas, UnknownNamespace, is_meant, travelling
from agent.sampling import Sampler
from agent.sysctl import Decisive
from agent.tally import Summary, within_limits
from shared.model import Claims, Evidence, Reading, Unreadable


@dataclass(frozen=True, slots=True)
class HostSample:
    """What was seen, and what was not."""

    summaries: tuple[Summary, ...]
    """A namespace each, our own first where it was asked for."""
    own: str
    """What the namespace is called that we run in, asked for or not."""
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()
    """What was seen less accurately than it could be, and why."""
    looked_at: int = 1
    """Namespaces whose sockets were looked at; of the others the kernel's counters say that nothing changed."""
    evidence: tuple[Evidence, ...] = ()
    """What its applications logged since the sample before."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Of all namespaces."""
        return tuple(reading for summary in self.summaries for reading in summary.readings)

    def with_claims(self, claims: Mapping[str, Claims]) -> "HostSample":
        """The same, each namespace with what is claimed of its ports, where that is known."""
        told = (
            replace(one, namespace=replace(one.namespace, claims=claims.get(one.namespace.name)))
            for one in self.summaries
        )
        return replace(self, summaries=tuple(told))

    @property
    def sockets(self) -> int:
        """Outbound sockets on ports of the range, in all namespaces."""
        return sum(sum(summary.namespace.totals.values()) for summary in self.summaries)


AGAIN_S = 60.0
"""How long the latest sample may be told again without going round: for as long as binders are not looked for."""


class Kept(NamedTuple):
    """What the latest look at one namespace's sockets told, and the means to tell whether it still holds."""

    summary: Summary
    base: Baseline
    at_s: float
    tree: int
    """What tells this namespace's files under /proc/PID/net from others'; see agent.counters."""


@dataclass(slots=True)
class HostSampler:
    """Remembers between samples what each namespace told. Not for two threads at once."""

    most_pools: int = 200
    """Pools listed one by one a namespace."""
    only: Sequence[str] = ()
    """Names of the namespaces wanted, OWN among them; none for all."""
    at_once: bool = False
    """For a command that samples once: look for hidden binders in one go, not thinly over many samples."""
    may_probe: bool = True
    """Whether ports may be probed (agent.probe)."""
    thresholds: Sequence[float] = ()
    """Occupancies, ascending, that an agent wants to see reached in time; none for a command that looks each time."""
    atlas: Atlas = field(default_factory=Atlas)
    kept: dict[NetnsId, Kept] = field(default_factory=dict)
    """Of the latest sample, where there are thresholds; our own namespace first, if it was asked for."""
    own: NetnsId | None = None
    samplers: dict[NetnsId, Sampler] = field(default_factory=dict)
    own_counters: OwnCounters = field(default_factory=OwnCounters)
    own_settings: Decisive = field(default_factory=Decisive)
    settings_read_at_s: float = -math.inf
    """For agent.glance alone: what it reads each second of our own namespace, and when it last read the settings."""
    _latest: HostSample | None = None
    _latest_at_s: float = 0.0

    def sample_all(self, now_s: float) -> HostSample:
        """Every namespace, now. `now_s` is monotonic.

        Raises DumpError or SamplingFailed where our own cannot be sampled, UnknownNamespace where none of those asked
        for is there. Others that fail are told in `unreadable`; one that ends meanwhile is no failure.
        """
        return travelling(self._sample_all, now_s)

    def _sample_all(self, now_s: float) -> HostSample:
        known: list[NetnsId] = []
        samplers: dict[NetnsId, Sampler] = {}
        looks: dict[NetnsId, Kept] = {}
        failed: list[Unreadable] = []
        before, self.kept, self._latest = self.kept, {}, None
        for place in self.atlas.tour(now_s):
            known.append(place)
            if not is_meant(place, self.only, is_own=place is known[0]):
                continue
            samplers[place] = self.samplers.get(place) or self._new(place)
            try:
                looks[place] = self._look(samplers[place], before.get(place), now_s)
            except (DumpError, SamplingFailed) as error:
                if place is known[0]:
                    raise
                failed.append(Unreadable(1, f"{place.name}: {error}"))
            if len(samplers) == len(self.only):
                break
        self.samplers, self.own = samplers, known[0]
        self.kept = looks if self.thresholds else {}
        failed += [] if self.only else self.atlas.unreadable
        failed += self._missing(known)
        notes = tuple(sorted({sampler.loss for sampler in samplers.values()} - {""}))
        summaries = tuple(within_limits([look.summary for look in looks.values()]))
        fresh = sum(look is not before.get(place) for place, look in looks.items())
        self._latest_at_s = now_s
        self._latest = HostSample(summaries, known[0].name, tuple(failed), notes, fresh)
        return self._latest

    def again(self, places: Sequence[Place], now_s: float) -> HostSample | None:
        """The latest sample, where these counters say that it still holds; None where another one has to be taken.

        `places` are what agent.glance made of `kept`. Costs no visit: for AGAIN_S after the latest round at most.
        """
        if self._latest is None or len(places) != len(self._latest.summaries) or len(places) != len(self.kept):
            return None
        if now_s - self._latest_at_s >= AGAIN_S or any(one.hidden.found for one in self.samplers.values()):
            return None
        pairs = zip(self.kept.values(), places, strict=True)
        if all(place.now and holds(kept, place.now, now_s) for kept, place in pairs):
            return replace(self._latest, looked_at=0)
        return None

    def _look(self, sampler: Sampler, kept: Kept | None, now_s: float) -> Kept:
        """At the sockets of the namespace this thread is in; what was kept where nothing can have changed since."""
        seen, tree = (counters.read() if self.thresholds else None) or (None, 0)
        if kept and seen and holds(kept, seen, now_s) and sampler.is_settled(now_s):
            return kept
        summary = sampler.sample(now_s)
        return Kept(summary, baseline_of(summary, seen, self.thresholds), now_s, tree)

    def _new(self, place: NetnsId) -> Sampler:
        return Sampler(place, self.most_pools, HiddenBinders(at_once=self.at_once, may_probe=self.may_probe))

    def _missing(self, known: Sequence[NetnsId]) -> list[Unreadable]:
        """Those asked for by name that are not there; where that is all of them, it is an error."""
        names = [place.name for place in known]
        closed = sum(one.namespaces for one in self.atlas.unreadable)
        missing = [UnknownNamespace(name, names, closed) for name in self.only if name not in [OWN, *names]]
        if missing and len(missing) == len(self.only):
            raise missing[0]
        return [Unreadable(1, str(error)) for error in missing]


def holds(kept: Kept, seen: Counters, now_s: float) -> bool:
    """Whether the counters say that another look would tell the same. Pure.

    A pool of which something was left open (whether it is past the knee) is looked at again.
    """
    if kept.base.counters is None or any(one.knee is None for one in kept.summary.readings):
        return False
    return seen.stands_still(kept.base.counters, kept.base.capacity, now_s - kept.at_s)


def baseline_of(summary: Summary, seen: Counters | None, thresholds: Sequence[float]) -> Baseline:
    """What to compare later counters with: the pools listed, and the fullest there can be besides. Pure."""
    space = summary.namespace
    pools = {Fullness(one.held, one.capacity) for one in summary.readings}
    return baseline(seen, pools | {Fullness(space.remainder.max_held, space.capacity)}, thresholds)
