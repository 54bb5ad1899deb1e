"""Sampling every network namespace of this host, one after the other, in one blocking call."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.errors import SamplingFailed
from agent.hidden import HiddenBinders
from agent.model import NetnsId
from agent.netlink.errors import DumpError
from agent.netns import OWN, Atlas, UnknownNamespace, is_meant, travelling
from agent.sampling import Sampler
from agent.tally import Summary, within_limits
from shared.model import Reading, Unreadable


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

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Of all namespaces."""
        return tuple(reading for summary in self.summaries for reading in summary.readings)

    @property
    def sockets(self) -> int:
        """Outbound sockets on ports of the range, in all namespaces."""
        return sum(sum(summary.namespace.totals.values()) for summary in self.summaries)


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
    atlas: Atlas = field(default_factory=Atlas)
    _samplers: dict[NetnsId, Sampler] = field(default_factory=dict)

    def sample_all(self, now_s: float) -> HostSample:
        """Every namespace, now. `now_s` is monotonic.

        Raises DumpError or SamplingFailed where our own cannot be sampled, UnknownNamespace where none of those asked
        for is there. Others that fail are told in `unreadable`; one that ends meanwhile is no failure.
        """
        return travelling(self._sample_all, now_s)

    def _sample_all(self, now_s: float) -> HostSample:
        known: list[NetnsId] = []
        samplers: dict[NetnsId, Sampler] = {}
        summaries: list[Summary] = []
        failed: list[Unreadable] = []
        for place in self.atlas.tour(now_s):
            known.append(place)
            if not is_meant(place, self.only, is_own=place is known[0]):
                continue
            samplers[place] = self._samplers.get(place) or self._new(place)
            try:
                summaries.append(samplers[place].sample(now_s))
            except (DumpError, SamplingFailed) as error:
                if place is known[0]:
                    raise
                failed.append(Unreadable(1, f"{place.name}: {error}"))
            if len(samplers) == len(self.only):
                break
        self._samplers = samplers
        failed += [] if self.only else self.atlas.unreadable
        failed += self._missing(known)
        notes = tuple(sorted({sampler.loss for sampler in samplers.values()} - {""}))
        return HostSample(tuple(within_limits(summaries)), known[0].name, tuple(failed), notes)

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
