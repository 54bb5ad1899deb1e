"""Taking a sample: from the kernel's tables to readings, in one blocking call. The edge that tally stays free of."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent import netns, sysctl
from agent.model import NetnsId, PortSettings
from agent.netlink.records import sockets
from agent.netlink.request import both_families, local_port_in, without
from agent.netlink.sock_diag import SockDiag
from agent.netns import sockstat
from agent.tally import CONNECTED_STATES, Counts, Summary, count, pools, summarise
from shared.ports import PortRange
from shared.tcp import State, state_mask

LISTEN = state_mask(State.LISTEN)
IDLE = state_mask(State.BOUND_INACTIVE)
HOT = 0.5
"""From this occupancy on, binders are looked for more often: they could take the ports that are left."""
BINDERS_EVERY_S = 60.0
HOT_BINDERS_EVERY_S = 10.0
"""Asking for binders walks the whole table once more, at 0.4 of a dump's cost: seldom enough to cost nothing."""


@dataclass(slots=True)
class Sampler:
    """Samples the network namespace that the calling thread is in, always the same one. Not for two threads at once.

    Opens and closes its netlink socket with each sample: held open, it would keep a namespace alive that has ended.
    """

    place: NetnsId = field(default_factory=netns.current)
    most_pools: int = 200
    _explicit: frozenset[int] = frozenset()
    _explicit_at_s: float = -1e9
    _hottest: float = 0.0

    def sample(self, now_s: float) -> Summary:
        """The namespace, now. `now_s` is monotonic and decides whether binders are looked for anew.

        Raises DumpError or SamplingFailed; then nothing of this sample may be used.
        """
        settings = sysctl.read_port_settings()
        listening: frozenset[int] = frozenset()
        counts: Counts = Counter()
        with SockDiag() as diag:
            if now_s - self._explicit_at_s >= (HOT_BINDERS_EVERY_S if self._hottest >= HOT else BINDERS_EVERY_S):
                self._explicit = binders(diag, settings)
                self._explicit_at_s = now_s
            if has_tcp():
                listening = bound_ports(diag, LISTEN, settings.port_range)
                counts = count_outbound(diag, settings.port_range, listening)
        held = pools(counts, self.place.name)
        summary = summarise(held, self.place, settings, listening | self._explicit, most=self.most_pools)
        self._hottest = max((reading.occupancy for reading in summary.readings), default=0.0)
        return summary


def has_tcp() -> bool:
    """Whether this thread's namespace has TCP sockets to count at all; where the kernel does not say, it may.

    The table of connections is one for all namespaces: looking for none in it costs as much as looking for a few. The
    counters are summed over the processors without a lock, so a namespace whose only sockets come and go in that very
    moment may be called empty; the next sample has them.
    """
    counts = sockstat.read()
    return counts is None or counts.tcp > 0


def count_outbound(diag: SockDiag, port_range: PortRange, listening: frozenset[int]) -> Counts:
    """Sockets on ports of the range by (family, state, key), those that a local listener accepted left out.

    An accepted socket has its listener's port and holds no ephemeral port of ours; the kernel drops it by bytecode.
    """
    counts: Counts = Counter()
    ranges = without(port_range, listening)
    if not ranges:
        return counts
    with _collector_paused():
        for buffer in diag.dump(both_families(CONNECTED_STATES, local_port_in(ranges))):
            count(buffer, counts)
    return counts


def binders(diag: SockDiag, settings: PortSettings) -> frozenset[int]:
    """Ports of the range that applications bound themselves: connected ones by bytecode, idle ones by their state."""
    return bound_ports(diag, IDLE, settings.port_range) | bound_ports(
        diag, CONNECTED_STATES, settings.port_range, explicit_only=True
    )


def bound_ports(diag: SockDiag, states: int, port_range: PortRange, *, explicit_only: bool = False) -> frozenset[int]:
    """Local ports of the sockets in these states, within the range."""
    request = both_families(states, local_port_in([port_range], explicit_only=explicit_only))
    return frozenset(socket.local_port for buffer in diag.dump(request) for socket in sockets(buffer))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Counting makes tuples by the hundred thousand and no cycles: the garbage collector would only look on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
