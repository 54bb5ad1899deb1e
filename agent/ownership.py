"""Who holds a pool, as a value: shares by control group and user, with their processes. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.netlink.records import Socket
from shared.limits import MAX_OWNER_CHARS

MOST_NAMED = 3
"""Owners and processes that a summary names; more are counted."""


class Claim(NamedTuple):
    """What the kernel tells of a socket's owner: `cgroup_id` from 5.8 on, `uid` while somebody has it open."""

    cgroup_id: int | None
    uid: int | None


class Process(NamedTuple):
    """A process that has sockets of the pool open. `comm` is its name, up to 15 characters."""

    pid: int
    comm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One control group and user with sockets of the pool."""

    name: str
    """What people call it: `haproxy.service`, `docker 0123456789ab`; a process name where no control group tells."""
    cgroup: str = ""
    """The control group's path, empty where it is not known."""
    uid: int | None = None
    user: str = ""
    processes: tuple[Process, ...] = ()
    sockets: int = 0
    """Sockets of the pool found to be its own; a sample in a large range."""

    def __str__(self) -> str:
        named = self.name or (f"user {self.user}" if self.user else "")
        shown = self.processes[:MOST_NAMED]
        comms = {process.comm for process in shown}
        pids = " ".join(str(process.pid) for process in shown) + (" …" if len(self.processes) > MOST_NAMED else "")
        word = "pid" if len(self.processes) == 1 else "pids"
        if not shown:
            return named
        told = "" if len(comms) == 1 and next(iter(comms)) in named else f"{'/'.join(sorted(comms))} "
        return f"{named}, {told}{word} {pids}" if named else f"{told}{word} {pids}"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Everybody who holds a pool, largest share first."""

    owners: tuple[Owner, ...] = ()
    unowned: int = 0
    """Sockets that belong to nobody any more: TIME_WAIT, and those not yet accepted."""
    hidden: str = ""
    """What could not be seen, and what to grant."""

    def share(self, owner: Owner) -> float:
        """Its part of the owned sockets, 0.0 to 1.0."""
        return owner.sockets / max(1, sum(one.sockets for one in self.owners))

    def summary(self) -> str:
        """`haproxy.service, pid 1312`, with shares where several hold it; "" where nobody could be told.

        One printable line within MAX_OWNER_CHARS.
        """
        told = [one for one in self.owners if str(one)]
        if not told:
            return ""
        if len(self.owners) == 1:
            return _fitted(str(told[0]))
        parts = [f"{one} ({self.share(one):.0%})" for one in told[:MOST_NAMED]]
        more = len(self.owners) - len(parts)
        return _fitted("; ".join(parts) + (f"; {more} more" if more else ""))


@dataclass(slots=True)
class Claims:
    """The claims on one pool, counted. `inodes` are what processes are looked for by."""

    netns: int = 0
    """The network namespace's inode."""
    counts: Counter[Claim] = field(default_factory=Counter)
    inodes: dict[int, Claim] = field(default_factory=dict)
    unowned: int = 0

    def add(self, socket: Socket) -> None:
        """Count one socket. A TIME_WAIT has neither owner nor control group; an orphan has lost its user."""
        if socket.inode:
            claim = Claim(socket.cgroup_id, socket.uid)
            self.inodes[socket.inode] = claim
        elif socket.cgroup_id is not None:
            claim = Claim(socket.cgroup_id, None)
        else:
            self.unowned += 1
            return
        self.counts[claim] += 1

    def settled(self) -> Mapping[Claim, int]:
        """Claims with their sockets; what a group's processes closed already goes to the group's largest user."""
        counts = Counter({claim: number for claim, number in self.counts.items() if claim.uid is not None})
        for claim, number in self.counts.items():
            if claim.uid is None:
                same = [one for one in counts if one.cgroup_id == claim.cgroup_id]
                counts[max(same, key=counts.__getitem__, default=claim)] += number
        return counts


def printable(text: str) -> str:
    """The text with anything that could upset a terminal or a page replaced; process names may hold any byte."""
    return "".join(char if char.isprintable() else "?" for char in text)


def largest_first(owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """By sockets, then by name, so that the order is the same from sample to sample."""
    return tuple(sorted(owners, key=lambda one: (-one.sockets, one.name, one.uid or 0)))


def _fitted(text: str) -> str:
    clean = printable(text)
    return clean if len(clean) <= MAX_OWNER_CHARS else f"{clean[: MAX_OWNER_CHARS - 1]}…"
