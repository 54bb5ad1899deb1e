"""When to look at the sockets, and why: a function of the kernel's counters, the clock and the CPU share. Pure.

Once a second a handful of counters is read for each network namespace, whatever the number of its sockets. From them
follows how many ports any one pool can have gained since the sockets were last looked at (`Counters.gained_since`): the
bound is what all pools together gained, so it holds for each. A sample is taken when a pool may have reached its next
threshold by that bound, when the interval is over, and every second or two while a pool is hot and connections move;
never more than the CPU share allows (agent.budget). docs/decisions/0030-cadence.md has what the bound covers.
"""

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from agent.budget import Budget


class Reason(StrEnum):
    """Why a sample was taken."""

    FIRST = "first"
    """Nothing is known yet, or no longer: the agent starts, or its sampler did."""
    DUE = "due"
    """The interval is over."""
    CROSSING = "crossing"
    """By the kernel's counters a pool may have reached its next threshold."""
    HOT = "hot"
    """A pool is half full, and connections were opened or closed."""
    NEW = "new"
    """A network namespace with sockets was not there before."""
    CHANGED = "changed"
    """The settings of our own namespace are others: what was known of its pools no longer holds."""
    BLIND = "blind"
    """The counters of a namespace cannot be read, so that anything may have happened in it."""
    LAST = "last"
    """The agent is told to stop."""


TICK_S = 1.0
HOT = 0.5
"""A pool this full is followed closely."""
HOT_EVERY_S = (1.0, 2.0)
"""How often: the former where the CPU share pays for it all the time, else the latter."""
MOVED = 1000
"""What share of a pool's ports must have been opened or closed for a look to be worth it: one in so many."""
KEPT_S = 60.0
"""How long counters that stand still may stand in for a look at the sockets …"""
SILENT_KEPT_S = 300.0
"""… and how long where hardly a segment came in either, so that no connection can have changed its state."""
SILENT = 100
"""Where fewer segments came in than the capacity divided by this, the namespace counts as silent."""


class Counters(NamedTuple):
    """What the kernel counts in one network namespace, over IPv4 and IPv6 together (agent.counters)."""

    opened: int
    """connect() calls that sent a SYN so far (Tcp.ActiveOpens)."""
    accepted: int
    """Connections accepted so far (Tcp.PassiveOpens)."""
    established: int
    """Connections that are ESTABLISHED or CLOSE_WAIT now (Tcp.CurrEstab)."""
    segments: int
    """Segments received so far (Tcp.InSegs)."""
    sockets: int
    """TCP sockets in the tables of connections and listeners now (sockstat: inuse)."""
    waiting: int
    """TIME_WAITs now (sockstat: tw)."""

    def gained_since(self, before: "Counters") -> int:
        """An upper bound of the ports that all pools together, and so any one of them, gained since `before`.

        Each connect() that sends a SYN is in ActiveOpens. One that does not (TCP_FASTOPEN_CONNECT until it writes,
        TCP_REPAIR) is still a socket in the table: what the table grew by beyond accepted connections was opened.
        """
        grown = self.sockets + self.waiting - before.sockets - before.waiting
        return max(self.opened - before.opened, grown - (self.accepted - before.accepted))

    def lost_since(self, before: "Counters") -> int:
        """How many sockets, at the least, left the table since `before`."""
        grown = self.sockets + self.waiting - before.sockets - before.waiting
        return max(0, self.opened - before.opened + self.accepted - before.accepted - grown)

    def follows(self, before: "Counters") -> bool:
        """Whether both can be of one namespace; if not, another one took its place."""
        return self.opened >= before.opened and self.accepted >= before.accepted and self.segments >= before.segments

    def stands_still(self, before: "Counters", capacity: int, age_s: float) -> bool:
        """Whether a look at the sockets would show what it showed `age_s` ago, when the counters were `before`.

        A socket that comes or goes moves one of them. Only the state of a connection may change beside them, and that
        takes a segment: few of them, few changes. TIME_WAITs change by age alone.
        """
        if self._replace(segments=0) != before._replace(segments=0) or self.waiting:
            return False
        is_silent = 0 <= self.segments - before.segments < capacity / SILENT
        return age_s < (SILENT_KEPT_S if is_silent else KEPT_S)


class Baseline(NamedTuple):
    """What the latest look at one namespace's sockets left to compare counters with."""

    counters: Counters | None
    """Read before the look, so that whatever it missed is counted since; None where they cannot be read."""
    rooms: Sequence[int] = ()
    """For each threshold, ascending: how many ports the pool next below it lacks to reach it."""
    targets: Sequence[int] = ()
    """For each threshold: how many ports a pool must hold, at the least, to reach it."""
    capacity: int = 0
    """Ports a pool can lend, of the smallest."""
    is_hot: bool = False


class Fullness(NamedTuple):
    """What one pool held when its sockets were looked at."""

    held: int
    capacity: int


def baseline(counters: Counters | None, pools: Iterable[Fullness], thresholds: Sequence[float]) -> Baseline:
    """Of a namespace where these pools are the fullest. `thresholds` ascend.

    Give the emptiest pool there can be too, one that is not there yet: it has the longest way, but below all of them.
    """
    known = list(pools)
    rooms: list[int] = []
    targets: list[int] = []
    for threshold in thresholds:
        ways = [(reach(threshold, one.capacity), one.held) for one in known]
        below = [(target - held, target) for target, held in ways if held < target]
        rooms.append(min((room for room, _ in below), default=2**31))
        targets.append(min((target for _, target in below), default=2**31))
    hot = any(one.capacity and one.held >= HOT * one.capacity for one in known)
    return Baseline(counters, rooms, targets, min((one.capacity for one in known), default=0), hot)


def reach(threshold: float, capacity: int) -> int:
    """How many ports a pool must hold for an occupancy of `threshold`; one at least."""
    return max(1, math.ceil(threshold * capacity - 1e-9))


class Place(NamedTuple):
    """One namespace at a tick: what the latest look left, and the counters now."""

    then: Baseline
    now: Counters | None


class Situation(NamedTuple):
    """All that a decision depends on besides the budget."""

    places: Sequence[Place]
    since_s: float | None
    """How long ago the latest sample was taken; None where there is none to build on."""
    interval_s: float
    has_newcomer: bool = False
    """Whether a namespace with sockets came that no sample has seen."""
    is_changed: bool = False
    """Whether our own namespace's settings are others."""


class Decision(NamedTuple):
    """Whether to take a sample now."""

    reason: Reason | None
    """Why one is wanted; None where none is."""
    allowed: bool = True
    """Whether the CPU share allows it."""
    threshold: int | None = None
    """The number of the highest threshold that may have been reached, where that is the reason."""

    @property
    def is_sample(self) -> bool:
        """Whether to take it."""
        return self.reason is not None and self.allowed


NOTHING = Decision(None)


def decide(situation: Situation, budget: Budget) -> Decision:
    """Take a sample or not.

    The more urgent the reason, the more of what the budget holds back may be spent on it: the next interval nothing,
    the highest threshold all. But when the interval is over, and samples so far apart let the budget fill, one is taken
    whatever it holds.
    """
    if situation.since_s is None:
        return Decision(Reason.FIRST)
    if is_idle(situation):
        return NOTHING
    is_kept = situation.since_s >= situation.interval_s and budget.sustains(situation.since_s)
    steps = max((len(place.then.rooms) for place in situation.places), default=1)
    crossed = max((crossing(place) for place in situation.places), default=-1)
    if crossed >= 0:
        return Decision(Reason.CROSSING, is_kept or budget.affords((crossed + 1) / steps), crossed)
    for reason in _ordinary(situation, budget):
        urgency = 0.0 if reason in (Reason.DUE, Reason.HOT) else 1 / steps
        return Decision(reason, is_kept or budget.affords(urgency))
    return NOTHING


def is_idle(situation: Situation) -> bool:
    """Whether there is nothing to decide, whatever the budget: nothing moved, and the interval is not over."""
    if situation.since_s is None or situation.since_s >= situation.interval_s:
        return False
    return not (situation.has_newcomer or situation.is_changed) and all(map(is_untouched, situation.places))


def is_untouched(place: Place) -> bool:
    """Whether no connection came, went or changed its kind since the latest look: the second of an idle host."""
    before, now = place.then.counters, place.now
    if before is None or now is None or now.segments < before.segments:
        return False
    return now is before or now._replace(segments=before.segments) == before


def crossing(place: Place) -> int:
    """The number of the highest threshold that a pool of this namespace may have reached since; -1 for none."""
    if place.now is None or place.then.counters is None or not place.now.follows(place.then.counters):
        return -1
    gained, most = place.now.gained_since(place.then.counters), place.now.sockets + place.now.waiting
    reached = [
        number
        for number, (room, target) in enumerate(zip(place.then.rooms, place.then.targets, strict=True))
        if gained >= room and most >= target
    ]
    return max(reached, default=-1)


def _ordinary(situation: Situation, budget: Budget) -> Iterable[Reason]:
    """The reasons that hold, the most urgent first."""
    since_s = situation.since_s or 0.0
    if situation.is_changed:
        yield Reason.CHANGED
    if situation.has_newcomer:
        yield Reason.NEW
    if since_s >= situation.interval_s:
        yield Reason.DUE
    always, else_ = HOT_EVERY_S
    if since_s >= (always if budget.pays_for_every(always) else else_) - TICK_S / 10:
        if any(is_lost(place) for place in situation.places):
            yield Reason.BLIND
        if any(place.then.is_hot and has_moved(place) for place in situation.places):
            yield Reason.HOT


def is_lost(place: Place) -> bool:
    """Whether nothing can be said of what happened since the latest look."""
    return place.now is None or (place.then.counters is not None and not place.now.follows(place.then.counters))


def has_moved(place: Place) -> bool:
    """Whether enough connections were opened or closed since for another look to tell more."""
    before, now = place.then.counters, place.now
    if before is None or now is None:
        return now is not None
    moved = max(0, now.gained_since(before)) + now.lost_since(before)
    return moved >= max(1, place.then.capacity // MOVED)
