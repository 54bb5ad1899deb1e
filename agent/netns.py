"""Which network namespace we are in, and what people call it."""

from pathlib import Path

from agent.model import NetnsId

HOST = "host"
NAMED = Path("/run/netns")


def current() -> NetnsId:
    """The network namespace of this thread."""
    inode = Path("/proc/thread-self/ns/net").stat().st_ino
    return NetnsId(name_of(inode), inode)


def name_of(inode: int) -> str:
    """`host` for init's namespace, the name `ip netns` gave, or `net:[inode]`."""
    try:
        if Path("/proc/1/ns/net").stat().st_ino == inode:
            return HOST
    except OSError:
        pass  # Only root may look at another's namespaces; then the other names must do.
    try:
        for named in sorted(NAMED.iterdir()):
            if named.stat().st_ino == inode:
                return named.name
    except OSError:
        pass
    return f"net:[{inode}]"
