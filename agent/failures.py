"""connect() calls that failed for want of a port: from the kernel's events to counts by destination. Pure.

The tracepoint `sock:inet_sock_set_state` fires when connect() gives a socket up. SYN_SENT → CLOSE with source port 0
means that no port was found for it: a refused, reset or abandoned attempt has its port by then, and so has a socket
that the application bound itself. That one test has no false alarm and costs nothing while all is well.

What it cannot see, and why we leave it so: a socket used again after a refused attempt keeps its old source port, so
its failures go uncounted. The syscall tracepoints would tell them, but while any process on the host has one open,
*every* system call of *every* process takes the kernel's slow path (docs/decisions/failures.md has the measure).
bind(ip, 0) and UDP fail without a change of state and are not seen either.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.netlink.records import AF_INET6
from agent.perf.layout import Layout
from shared.addresses import fold
from shared.model import Kind, Namespace, Pool, Reading

EVENT = "sock/inet_sock_set_state"
FILTER = "oldstate==2 && newstate==7 && sport==0 && protocol==6"
"""SYN_SENT (2) to CLOSE (7), TCP; evaluated in the kernel."""
NEEDS = {"dport": 2, "family": 2, "saddr": 4, "daddr": 4, "saddr_v6": 16, "daddr_v6": 16}
"""The fields read, with their size in bytes; a kernel that has them otherwise is not read at all."""
MOST_TARGETS = 1_024
"""Destinations counted one by one between two samples."""


class Target(NamedTuple):
    """Where a failed connect() was to go, and from where.

    `netns` is an inode, 0 where the process had gone before we looked; `local` what the route gave it, or its bind.
    """

    netns: int
    local: bytes
    peer: bytes
    peer_port: int


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many failed, and when the first and the last did (Unix time)."""

    count: int
    first_ms: int
    last_ms: int

    def __add__(self, other: "FailureCount") -> "FailureCount":
        return FailureCount(
            self.count + other.count, min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        )


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed in a stretch of time."""

    by_target: Mapping[Target, FailureCount] = field(default_factory=dict)
    unnamed: int = 0
    """Failures whose destination is not known: their events were lost, or too many destinations failed at once."""

    def __bool__(self) -> bool:
        """Whether anything failed."""
        return bool(self.by_target or self.unnamed)

    def plus(self, other: "Failures") -> "Failures":
        """Both stretches as one, still bounded: the destinations that failed most stay named."""
        merged = dict(self.by_target)
        for target, count in other.by_target.items():
            merged[target] = merged[target] + count if target in merged else count
        named = sorted(merged.items(), key=lambda one: -one[1].count)
        rest = sum(count.count for _target, count in named[MOST_TARGETS:])
        return Failures(dict(named[:MOST_TARGETS]), self.unnamed + other.unnamed + rest)


def target_of(raw: bytes, layout: Layout, netns: int = 0) -> Target:
    """The destination in one raw event. A v4-mapped attempt belongs to IPv4's pools."""
    six = layout.number(raw, "family") == AF_INET6
    local, peer = ("saddr_v6", "daddr_v6") if six else ("saddr", "daddr")
    return Target(netns, fold(layout.octets(raw, local)), fold(layout.octets(raw, peer)), layout.number(raw, "dport"))


@dataclass(frozen=True, slots=True)
class Blame:
    """Failures by pool."""

    pools: Mapping[Pool, int] = field(default_factory=dict)
    """By pool, whether a sample lists it or not."""
    astray: int = 0
    """Failures of no pool that was sampled: of another namespace, or unnamed."""


def blame(failures: Failures, namespaces: Sequence[Namespace], readings: Iterable[Reading]) -> Blame:
    """Which pools of a sample these failures belong to.

    A failure whose namespace is not known goes to the fullest pool with its addresses; where no pool that is listed has
    them, to the namespace that can lend least: there they are likeliest to fail.
    """
    fullest: dict[tuple[bytes, bytes, int], list[Reading]] = {}
    for one in sorted(readings, key=lambda one: (-one.occupancy, one.pool)):
        if one.pool.kind is Kind.CONNECT:
            fullest.setdefault((one.pool.local, one.pool.peer, one.pool.peer_port), []).append(one)
    pools: Counter[Pool] = Counter()
    astray = failures.unnamed
    for target, count in failures.by_target.items():
        places = [one for one in namespaces if target.netns in (0, one.inode)]
        if not places:
            astray += count.count
            continue
        names = {place.name for place in places}
        listed = [one.pool for one in fullest.get(target[1:], ()) if one.pool.netns in names]
        least = min(places, key=lambda place: place.capacity)
        pools[listed[0] if listed else Pool(least.name, Kind.CONNECT, *target[1:])] += count.count
    return Blame(dict(pools), astray)


@dataclass(slots=True)
class Ledger:
    """Failures between two samples: one side adds, the other takes. Both in one thread."""

    _pending: Failures = field(default_factory=Failures)

    def add(self, failures: Failures) -> None:
        """Remember them."""
        self._pending = self._pending.plus(failures)

    def take(self) -> Failures:
        """What came since the last time."""
        pending, self._pending = self._pending, Failures()
        return pending
