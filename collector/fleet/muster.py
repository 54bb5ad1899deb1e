"""Every host at a glance: who reports, who cannot be believed, which roles there are. Pure.

Counted once for all who look at a page within a moment: over ten thousand hosts it takes longer than all the rest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.fleet.host import Host, Presence


@dataclass(frozen=True, slots=True)
class Muster:
    """Every host as it was known at `at_ms`; what is said of them now must be said as of then."""

    hosts: Sequence[Host]
    at_ms: int
    presences: Counter[str]
    """How many hosts are in each state."""
    doubts: Mapping[str, str]
    """By name each host that does not report, with why: `silent`, `blind`."""
    roles: Sequence[str]
    ids: Mapping[str, int]

    @property
    def mute(self) -> list[Host]:
        """The hosts of `doubts`."""
        return [host for host in self.hosts if host.name in self.doubts]


def muster(hosts: Sequence[Host], at_ms: int) -> Muster:
    """Count them."""
    presences = [host.presence(at_ms) for host in hosts]
    doubts = {
        host.name: presence.value
        for host, presence in zip(hosts, presences, strict=True)
        if presence is not Presence.REPORTING
    }
    return Muster(
        hosts=hosts,
        at_ms=at_ms,
        presences=Counter(presence.value for presence in presences),
        doubts=doubts,
        roles=sorted({host.role for host in hosts if host.role}),
        ids={host.name: host.id for host in hosts},
    )
