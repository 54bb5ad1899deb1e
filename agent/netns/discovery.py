"""Finding the network namespaces of this host: through its processes and through the names others gave. The edge.

A namespace lives in a process (/proc/PID/ns/net) or is held by a file (`ip netns`, docker, CNI: bind mounts). Threads
that left the namespace of their process and namespaces that only an open file holds are not looked for.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.netns import sockstat
from agent.netns.naming import Traits

NAMED = (Path("/run/netns"), Path("/var/run/netns"))
SANDBOXES = (Path("/run/docker/netns"), Path("/var/run/docker/netns"))
PROC = Path("/proc")
MOST_WAYS = 4
"""Ways into a namespace worth remembering: its first process may end before it is entered."""


@dataclass(slots=True)
class Sighting:
    """One network namespace as a look around found it."""

    inode: int
    given: list[str] = field(default_factory=list)
    sandboxes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """Where it is held by a name, whatever its processes do."""
    pids: list[int] = field(default_factory=list)
    """The lowest of its processes, ascending."""

    @property
    def ways(self) -> list[str]:
        """Files to enter it by, the most durable first."""
        return [*self.files, *(f"{PROC}/{pid}/ns/net" for pid in self.pids)][:MOST_WAYS]


@dataclass(frozen=True, slots=True)
class Landscape:
    """All that one look around saw."""

    seen: dict[int, Sighting]
    """By inode."""
    closed: dict[int, int]
    """Namespaces whose processes do not let us look: the inode of their /proc/PID/net/dev → one of the processes."""
    veiled: int
    """Processes that show nothing at all (/proc mounted with hidepid)."""


def look_around() -> Landscape:
    """Find them now: one link read for each process, `net:[4026531840]`, at about 5 µs."""
    land = Landscape({}, {}, 0)
    _visit_names(land, NAMED, "given")
    _visit_names(land, SANDBOXES, "sandboxes")
    veiled = 0
    for pid in sorted(int(name) for name in os.listdir(PROC) if name.isdigit()):  # noqa: PTH208 - fast
        try:
            inode = int(os.readlink(f"{PROC}/{pid}/ns/net")[5:-1])  # noqa: PTH115 - fast
        except PermissionError:
            veiled += not _place_closed(land, pid)
        except (OSError, ValueError):
            continue  # It ended, or is a zombie and has no namespace any more.
        else:
            sighting = land.seen.setdefault(inode, Sighting(inode))
            if len(sighting.pids) < MOST_WAYS:
                sighting.pids.append(pid)
    return Landscape(land.seen, land.closed, veiled)


def _visit_names(land: Landscape, folders: Sequence[Path], kind: str) -> None:
    for file, inode in _held_by_name(folders):
        sighting = land.seen.setdefault(inode, Sighting(inode))
        sighting.files.append(str(file))
        names: list[str] = getattr(sighting, kind)
        if file.name not in names:
            names.append(file.name)


def _held_by_name(folders: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    """Files that are namespaces. A mount that failed or is gone leaves an ordinary file, of another device."""
    namespaces_device = (PROC / "self" / "ns" / "net").stat().st_dev
    for folder in dict.fromkeys(one.resolve() for one in folders):
        try:
            files = sorted(folder.iterdir())
        except OSError:
            continue  # Nobody named any, or we may not look.
        for file in files:
            try:
                about = file.stat()
            except OSError:
                continue
            if about.st_dev == namespaces_device:
                yield file, about.st_ino


def _place_closed(land: Landscape, pid: int) -> bool:
    """Note the namespace of a process that does not tell it, by what else is that namespace's own; False: nothing is.

    Each network namespace has its own /proc/net tree, whose files have inodes of their own and may be looked at by all.
    """
    try:
        tree = (PROC / str(pid) / "net" / "dev").stat().st_ino
    except FileNotFoundError:
        return True  # It ended.
    except OSError:
        return False
    land.closed.setdefault(tree, pid)
    return True


def tree_of(pid: int | str) -> int | None:
    """The inode that tells this process's namespace in `Landscape.closed`; None when it ended."""
    try:
        return (PROC / str(pid) / "net" / "dev").stat().st_ino
    except OSError:
        return None


def is_idle(pids: Sequence[int]) -> bool:
    """Whether the namespace of these processes has neither TCP nor UDP sockets, so that it has no port to lose."""
    for pid in pids:
        counts = sockstat.read(PROC / str(pid) / "net")
        if counts is not None:
            return counts.tcp == 0 and counts.udp == 0
    return False


def traits_of(sighting: Sighting) -> Traits:
    """What its name can be made from; reads two files of its first process."""
    pid = sighting.pids[0] if sighting.pids else 0
    return Traits(
        inode=sighting.inode,
        given=sighting.given,
        sandboxes=sighting.sandboxes,
        cgroups=_text(pid, "cgroup"),
        comm=_text(pid, "comm").strip(),
        pid=pid,
    )


def _text(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text(errors="replace") if pid else ""
    except OSError:
        return ""
