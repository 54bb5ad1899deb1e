"""Which processes have given sockets open, found through /proc/*/fd. The edge; bounded work.

There is no index from a socket to its processes, and to read a descriptor's link costs 5 to 15 µs, to list one half as
much. So processes of the right network namespace and user come first, of these the ones with most descriptors, and of
a large table a random part is read: who holds much of a pool is found after a few hundred links. To look for many
inodes costs no more than for one, and ends sooner. Where even so the work would be too much, some stay unfound; alike
processes are looked into in random order, so that the next search finds others.
"""

import os
import random
import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from agent.cgroups import process_path
from agent.ownership import Process, printable

K = TypeVar("K", bound=Hashable)

PROC = Path("/proc")
MOST_LINKS = 20_000
"""Links read in one search: some 0.2 s at most."""
MOST_LINKS_EACH = 1_000
"""Links read of one process."""
FEW = 1_024
"""So many descriptors are listed; of more, slots of the table are tried."""
STALE = 8
"""So many sockets of keys it is known to have, one after the other, and a process is left: there is hardly more."""
WORTH_A_LOOK = 10
"""Once every key has a process, others are looked into only with a tenth at least of that one's descriptors."""
MOST_PROCESSES = 4
"""Processes told of one key: workers of one program look alike."""
_STATUS = re.compile(r"^Uid:\t\d+\t(\d+)\t.*?^FDSize:\t(\d+)$.*?^VmSize:", re.MULTILINE | re.DOTALL)
"""Of /proc/PID/status: effective user and room for descriptors. A kernel thread has no VmSize."""


class Table(NamedTuple):
    """A process's table of descriptors."""

    is_there: bool
    """It is in one of the network namespaces."""
    is_theirs: bool
    """It runs as one of the users."""
    descriptors: int
    slots: int
    """For how many there is room."""
    pid: int

    def likelihood(self) -> tuple[bool, bool, int]:
        """Sorts by how likely it is to be looked for; tables within a factor of two are alike."""
        return self.is_there, self.is_theirs, self.descriptors.bit_length()


@dataclass(slots=True)
class Search(Generic[K]):
    """One search for the processes behind the keys that sockets (by inode) were given."""

    wanted: Mapping[int, K]
    namespaces: Collection[int] = ()
    """Inodes of the network namespaces that the sockets are in."""
    uids: Collection[int] = ()
    """Users that the sockets belong to."""
    proc: Path = PROC
    found: dict[K, list[Process]] = field(default_factory=dict)
    hidden: int = 0
    """Processes that we may not look into."""
    links: int = 0
    _keys: frozenset[K] = frozenset()
    _seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._keys = frozenset(self.wanted.values())

    def missing(self, enough: int = 1) -> set[K]:
        """The keys with fewer processes than that."""
        return {key for key in self._keys if len(self.found.get(key, ())) < enough}

    def among(self, pids: Iterable[int]) -> None:
        """Look into these processes, each once a search, the likeliest first."""
        tables = [table for pid in set(pids) - self._seen if (table := self._table(pid)) is not None]
        worth = 0
        random.shuffle(tables)
        for table in sorted(tables, key=Table.likelihood, reverse=True):
            if self.links >= MOST_LINKS or not self.missing(MOST_PROCESSES):
                return
            if not self.missing() and table.descriptors < worth:
                continue
            self._seen.add(table.pid)
            if self._look_into(table):
                worth = max(worth, table.descriptors // WORTH_A_LOOK)

    def everywhere(self) -> None:
        """Look into every process that we see."""
        try:
            with os.scandir(self.proc) as entries:
                pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
        except OSError:
            return
        self.among(pids)

    def _table(self, pid: int) -> Table | None:
        """None for a kernel thread and for a process that has ended. Before 6.2 only the room is told."""
        status = _STATUS.search(_read(self.proc / str(pid) / "status"))
        if status is None:
            return None
        uid, slots = map(int, status.groups())
        try:
            descriptors = (self.proc / str(pid) / "fd").stat().st_size or slots
        except OSError:
            return None
        return Table(self._netns(pid) in self.namespaces, uid in self.uids, descriptors, slots, pid)

    def _netns(self, pid: int) -> int:
        try:
            return (self.proc / str(pid) / "ns" / "net").stat().st_ino
        except OSError:
            return 0

    def _look_into(self, table: Table) -> bool:
        """Whether the process has any of what is looked for."""
        left = self.missing(MOST_PROCESSES)
        before, stale = len(left), 0
        for inode in self._sockets_of(table):
            key = self.wanted.get(inode)
            if key in left:
                left.discard(key)
                self.found.setdefault(key, []).append(Process(table.pid, self._comm(table.pid)))
                stale = 0
            elif key is not None:
                stale += 1
            if not left or stale >= STALE:
                break
        return len(left) < before

    def _sockets_of(self, table: Table) -> Iterator[int]:
        """Socket inodes behind the process's descriptors, in no order."""
        directory = f"{self.proc}/{table.pid}/fd"
        try:
            for descriptor in self._descriptors(directory, table):
                self.links += 1
                try:
                    target = os.readlink(f"{directory}/{descriptor}")  # noqa: PTH115 - a Path for each: 4 times the cost
                except FileNotFoundError:
                    continue  # An empty slot, or closed meanwhile.
                if target.startswith("socket:["):
                    yield int(target[8:-1])
        except PermissionError:
            self.hidden += 1
        except OSError:
            return  # It has ended.

    def _descriptors(self, directory: str, table: Table) -> Iterable[int]:
        most = min(MOST_LINKS_EACH, MOST_LINKS - self.links)
        if table.descriptors > FEW:
            return random.sample(range(table.slots), min(table.slots, most))
        with os.scandir(directory) as entries:
            return [int(entry.name) for entry in entries][:most]

    def _comm(self, pid: int) -> str:
        return printable(_read(self.proc / str(pid) / "comm").strip()) or "?"


def cgroup_of(pid: int, proc: Path = PROC) -> str:
    """The path of the process's control group, by whatever hierarchy tells it; "/" where none does."""
    return process_path(_read(proc / str(pid) / "cgroup"))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
