"""What people call a network namespace, decided from what is known about it. Pure.

A name is lasting where somebody gave it: `ip netns`, the container, pod or service its processes belong to. It is
makeshift where only a process or a number tells it apart; then it gives way once a lasting one turns up, because a
namespace is often seen before its container's process is in the container's cgroup.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shared.limits import MAX_NAME_CHARS

HOST = "host"
"""The kernel's first network namespace; nothing else is called so."""
OWN = "own"
"""What `--netns` accepts for the namespace the command itself runs in, whatever its name."""
_MACHINE_MADE = re.compile(r"(?:cni|netns)-[0-9a-f]{8}-[0-9a-f-]+\Z")
"""Names of CNI plugins and podman under /run/netns: unique, and no help to anybody."""

_ID = r"([0-9a-f]{12})[0-9a-f]{52}"
_CGROUPS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\bpod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})\b"), "pod-"),
    (re.compile(rf"/docker[-/]{_ID}(?:\.scope)?(?:/|$)"), "docker-"),
    (re.compile(rf"/libpod-{_ID}(?:\.scope)?(?:/|$)"), "podman-"),
    (
        re.compile(rf"/(?:cri-containerd[-:]|crio-|containerd[-/]|[^/]+:cri-containerd:){_ID}(?:\.scope)?(?:/|$)"),
        "cri-",
    ),
    (re.compile(r"/lxc(?:\.payload[./]|/)([^/]+)"), "lxc-"),
    (re.compile(r"/machine-([^/]+)\.scope(?:/|$)"), "machine-"),
    (re.compile(r"/systemd-nspawn@([^/]+)\.service(?:/|$)"), "machine-"),
)
"""Shapes of cgroup paths: Kubernetes (cgroupfs and systemd drivers, static pods), docker, podman, containerd and CRI-O,
LXC, systemd-nspawn. A pod shares one network namespace among its containers, so the pod comes first."""
_SERVICE = re.compile(r"/((?!user@)[^/]+\.service)(?=/|$)")


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
    lasting = by_people[0] if by_people else of_cgroups(traits.cgroups)
    if lasting:
        return Name(printable(lasting), is_lasting=True)
    if traits.pid and traits.comm:
        return Name(printable(f"{traits.comm}[{traits.pid}]"), is_lasting=False)
    machine_made = [*traits.given, *(f"docker-netns-{name}" for name in traits.sandboxes)]
    return Name(printable(machine_made[0]) if machine_made else f"net:[{traits.inode}]", is_lasting=False)


def of_cgroups(text: str) -> str | None:
    """The container, pod or service that /proc/PID/cgroup tells of, `None` for a session or the root."""
    paths = [line.split(":", 2)[-1] for line in text.splitlines()]
    for shape, prefix in _CGROUPS:
        for path in paths:
            if found := shape.search(path):
                return prefix + (found[1].replace("_", "-") if prefix == "pod-" else found[1])
    services = [service for path in paths for service in _SERVICE.findall(path)]
    return services[-1] if services else None


def unique(name: str, taken: Collection[str], traits: Traits) -> str:
    """`name`, told apart from the `taken` ones by its first process, else by its number."""
    for candidate in (name, f"{name}[{traits.pid or traits.inode}]"):
        if candidate not in taken and candidate not in (HOST, OWN):
            return candidate
    return f"{name}[{traits.inode}]"


def printable(name: str) -> str:
    """What may travel: file and process names are any bytes, and a suffix must still fit."""
    return "".join(one if one.isprintable() else "?" for one in name)[: MAX_NAME_CHARS - 32]
