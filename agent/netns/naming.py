"""What people call a network namespace, decided from what is known about it. Pure.

A name is lasting where somebody gave it: `ip netns`, the container, pod or service its processes belong to. It is
makeshift where only a process or a number tells it apart; then it gives way once a lasting one turns up, because a
namespace is often seen before its container's process is in the container's cgroup.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent.cgroups import place_name
from shared.limits import MAX_NAME_CHARS

HOST = "host"
"""The kernel's first network namespace; nothing else is called so."""
OWN = "own"
"""What `--netns` accepts for the namespace the command itself runs in, whatever its name."""
_MACHINE_MADE = re.compile(r"(?:cni|netns)-[0-9a-f]{8}-[0-9a-f-]+\Z")
"""Names of CNI plugins and podman under /run/netns: unique, and no help to anybody."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known about one network namespace from outside."""

    inode: int
    given: Sequence[str] = ()
    """Its names under /run/netns."""
    sandboxes: Sequence[str] = ()
    """Its names under /run/docker/netns."""
    cgroups: str = ""
    """/proc/PID/cgroup of its first process."""
    comm: str = ""
    pid: int = 0
    """The lowest process id in it, 0 where there is none; `comm` is its name."""


@dataclass(frozen=True, slots=True)
class Name:
    """What to call it, and whether that is for good."""

    text: str
    is_lasting: bool


def name_of(traits: Traits) -> Name:
    """The best name these traits allow; the kernel's first namespace is for the caller to know."""
    by_people = [name for name in traits.given if not _MACHINE_MADE.match(name)]
    lasting = by_people[0] if by_people else place_name(traits.cgroups)
    if lasting:
        return Name(printable(lasting), is_lasting=True)
    if traits.pid and traits.comm:
        return Name(printable(f"{traits.comm}[{traits.pid}]"), is_lasting=False)
    machine_made = [*traits.given, *(f"docker-netns-{name}" for name in traits.sandboxes)]
    return Name(printable(machine_made[0]) if machine_made else f"net:[{traits.inode}]", is_lasting=False)


def unique(name: str, taken: Collection[str], traits: Traits) -> str:
    """`name`, told apart from the `taken` ones by its first process, else by its number."""
    for candidate in (name, f"{name}[{traits.pid or traits.inode}]"):
        if candidate not in taken and candidate not in (HOST, OWN):
            return candidate
    return f"{name}[{traits.inode}]"


def printable(name: str) -> str:
    """What may travel: file and process names are any bytes, and a suffix must still fit."""
    return "".join(one if one.isprintable() else "?" for one in name)[: MAX_NAME_CHARS - 32]
