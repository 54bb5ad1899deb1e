"""Which network namespace we are in, and what people call it."""

from pathlib import Path

from agent.model import NetnsId

HOST = "host"
NAMED = Path("/run/netns")
ONLY_IN_THE_FIRST = Path("/proc/sys/net/core/netdev_max_backlog")
"""A sysctl that the kernel shows in its first network namespace alone (net/core/sysctl_net_core.c), to everybody."""


def current() -> NetnsId:
    """The network namespace of this thread."""
    inode = Path("/proc/thread-self/ns/net").stat().st_ino
    return NetnsId(HOST if ONLY_IN_THE_FIRST.exists() else _given_name(inode), inode)


def _given_name(inode: int) -> str:
    """The name `ip netns` gave, or `net:[inode]`."""
    try:
        for named in sorted(NAMED.iterdir()):
            if named.stat().st_ino == inode:
                return named.name
    except OSError:
        pass  # Nobody named any, or we may not look.
    return f"net:[{inode}]"
