"""Taking a sample: from the kernel's tables to readings, in one blocking call. The edge that tally stays free of."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from agent import netns, sysctl
from agent.binders import IDLE, LISTEN, MOST_STRETCHES, binder_pools, binders, bound_ports
from agent.cadence import TICK_S
from agent.hidden import HiddenBinders
from agent.knee import Knees
from agent.lingering import Lingering
from agent.model import NetnsId
from agent.netlink.opening import open_sockets
from agent.netlink.request import both_families, local_port_in, without
from agent.netlink.sock_diag import SockDiag
from agent.netns import sockstat
from agent.tally import CONNECTED_STATES, Counts, Held, Knowledge, Summary, count, count_aged, pools, summarise
from shared.model import Pool, Reading
from shared.ports import PortRange, PortSettings
from shared.reuse import may_reuse, old_enough_ms
from shared.tcp import State, state_mask

TIME_WAIT = state_mask(State.TIME_WAIT)
HOT = 0.5
"""From this occupancy on nothing is taken for granted: binders are looked for, TIME_WAITs asked for their age."""
BINDERS_EVERY_S = 60.0
HOT_BINDERS_EVERY_S = 10.0
CALM_BINDERS_EVERY_S = 120.0
"""Where no connection comes or goes and no pool is half full: then a port more or less decides nothing for long."""
SAME_BINDERS_EVERY_S = 300.0
"""Where besides as many sockets wait outside the tables of TCP as at the latest look: who binds has to make one first.

Asking for binders walks the whole table once more, at 0.4 of a dump's cost: seldom enough to cost nothing.
"""


@dataclass(slots=True)
class Sampler:
    """Samples the network namespace that the calling thread is in, always the same one. Not for two threads at once.

    Opens and closes its netlink socket with each sample: held open, it would keep a namespace alive that has ended.
    """

    place: NetnsId = field(default_factory=netns.current)
    most_pools: int = 200
    hidden: HiddenBinders = field(default_factory=HiddenBinders)
    knees: Knees = field(default_factory=Knees)
    loss: str = ""
    """What the latest sample lacks in accuracy, and why; empty where it lacks nothing."""
    settings: PortSettings | None = None
    """Those of the latest sample."""
    decisive: tuple[bytes, ...] = ()
    """The same in part, as text (agent.sysctl)."""
    lingering: Lingering = field(default_factory=Lingering)
    _explicit: frozenset[int] = frozenset()
    _explicit_at_s: float = -1e9
    _idle_at_s: float = -1e9
    _outside_then: int | None = None
    """How many sockets of any kind were in no table of TCP at that look."""
    _hottest: float = 0.0
    _binder_pools: tuple[Reading, ...] = ()

    def sample(self, now_s: float) -> Summary:
        """The namespace, now. `now_s` is monotonic and decides whether binders are looked for anew.

        Raises DumpError or SamplingFailed; then nothing of this sample may be used.
        """
        self.decisive = sysctl.Decisive().read()
        settings = self.settings = sysctl.read_port_settings()
        outside = sockstat.outside()
        with open_sockets() as diag:
            self.loss = diag.loss
            is_due = self._is_due(now_s)
            if is_due:
                self._explicit, self._explicit_at_s = binders(diag, settings, self.lingering), now_s
                self._idle_at_s, self._outside_then = now_s, outside
            if not has_tcp():
                return summarise({}, self.place, Knowledge(settings, self._explicit), most=self.most_pools)
            blocked, held = self._count(diag, settings, now_s)
            if is_due:
                self._binder_pools = binder_pools(diag, settings, self.hidden.shut(now_s), self.place.name)
            known = Knowledge(
                settings,
                blocked.all,
                unproven=self.hidden.unproven(settings, now_s),
                overlap=blocked.overlap(settings.port_range),
                tells_devices=not diag.loss,
                reusable=reusable(diag, held, settings, blocked),
            )
            known = replace(known, knees=self.knees.look(diag, held, known, now_s))
        return summarise(held, self.place, known, most=self.most_pools, others=self._binder_pools)

    def is_settled(self, now_s: float) -> bool:
        """Whether another sample would tell the same as the latest one, if connections are the same.

        Ports that are bound and not connected are in none of the kernel's counters: they are asked for, when it is
        time to. Raises as `sample` does.
        """
        settings = sysctl.read_port_settings()
        if settings != self.settings or self.hidden.found or not self.lingering.is_empty:
            return False
        outside = sockstat.outside()
        if now_s - self._idle_at_s >= self._idle_every_s(outside) - TICK_S:  # Samples may be that much short of it.
            self._idle_at_s, self._outside_then = now_s, outside
            with open_sockets() as diag:
                return bound_ports(diag, IDLE, settings.port_range) <= self._explicit
        return True

    def _idle_every_s(self, outside: int | None) -> float:
        """How old the list of idle binders may be while connections stand still, with so many other sockets now."""
        if outside is not None and outside == self._outside_then:
            return SAME_BINDERS_EVERY_S
        return BINDERS_EVERY_S if self._hottest >= HOT else CALM_BINDERS_EVERY_S

    def _is_due(self, now_s: float) -> bool:
        is_soon = self._hottest >= HOT or not self.lingering.is_empty  # What lingers ends within a minute.
        every_s = HOT_BINDERS_EVERY_S if is_soon else BINDERS_EVERY_S
        return now_s - self._explicit_at_s >= every_s

    def _count(self, diag: SockDiag, settings: PortSettings, now_s: float) -> "tuple[Blocked, Held]":
        """Count, look for hidden binders, and, for a command that samples once, count again if there were any."""
        listening = bound_ports(diag, LISTEN, settings.port_range)
        shut: frozenset[int] | None = None
        while shut != self.hidden.shut(now_s):
            shut = self.hidden.shut(now_s)
            blocked = Blocked(listening, self._explicit | shut)
            held = pools(count_outbound(diag, settings.port_range, blocked), self.place.name)
            self._hottest = _hottest(held, Knowledge(settings, blocked.all).capacity)
            self.hidden.look(settings, listening | self._explicit, now_s, hot=self._hottest >= HOT)
            if not self.hidden.at_once:
                break  # What was found counts from the next sample on.
        return blocked, held


@dataclass(frozen=True, slots=True)
class Blocked:
    """Ports that something bound."""

    listening: frozenset[int]
    """Sockets on these are inbound: accepted by the listener."""
    connected: frozenset[int]
    """Sockets on these are their binders, or went out by the port before it was bound: blocked, so not held."""

    @property
    def all(self) -> frozenset[int]:
        """Every one, for whatever reason."""
        return self.listening | self.connected

    def stretches(self, port_range: PortRange) -> list[PortRange]:
        """The ports whose sockets hold them: all others of the range, or, were that too many pieces, some more."""
        open_ones = without(port_range, self.all)
        return open_ones if len(open_ones) <= MOST_STRETCHES else without(port_range, self.listening)

    def overlap(self, port_range: PortRange) -> int:
        """How many blocked ports `stretches` had to leave in."""
        return 0 if len(without(port_range, self.all)) <= MOST_STRETCHES else len(self.connected)


def _hottest(held: Held, capacity: int) -> float:
    """The occupancy of the fullest pool."""
    return max((sum(states.values()) for states in held.values()), default=0) / max(1, capacity)


def reusable(diag: SockDiag, held: Held, settings: PortSettings, blocked: Blocked) -> dict[Pool, int]:
    """TIME_WAITs that connect() may recycle by their age, for hot pools where it matters; those alone are read.

    On a blocked port nothing is recycled.
    """
    capacity = len(settings.port_range)
    hot = {
        pool
        for pool, states in held.items()
        if State.TIME_WAIT in states
        and sum(states.values()) >= HOT * capacity
        and may_reuse(pool.local, pool.peer, settings)
    }
    if not hot:
        return {}
    counts: Counts = Counter()
    for buffer in diag.dump(both_families(TIME_WAIT, local_port_in(blocked.stretches(settings.port_range)))):
        count_aged(buffer, counts, old_enough_ms(settings))
    aged = pools(counts, next(iter(hot)).netns)
    return {pool: sum(aged.get(pool, {}).values()) for pool in hot}


def has_tcp() -> bool:
    """Whether this thread's namespace has TCP sockets to count at all; where the kernel does not say, it may.

    The table of connections is one for all namespaces: looking for none in it costs as much as looking for a few. The
    counters are summed over the processors without a lock, so a namespace whose only sockets come and go in that very
    moment may be called empty; the next sample has them.
    """
    counts = sockstat.read()
    return counts is None or counts.tcp > 0


def count_outbound(diag: SockDiag, port_range: PortRange, blocked: Blocked) -> Counts:
    """Sockets that hold a port of the range, by (family, state, key); the kernel drops the others by bytecode.

    An accepted socket has its listener's port and holds no ephemeral port of ours.
    """
    counts: Counts = Counter()
    ranges = blocked.stretches(port_range)
    if not ranges:
        return counts
    with _collector_paused():
        for buffer in diag.dump(both_families(CONNECTED_STATES, local_port_in(ranges))):
            count(buffer, counts)
    return counts


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
