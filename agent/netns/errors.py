"""What can go wrong on the way into a network namespace, each with its facts."""

import errno
import os
from collections.abc import Sequence

from shared.errors import PortgaugeError


class NamespaceGone(PortgaugeError):
    """It ended between being seen and being entered: no fault of anybody's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the network namespace {name} has ended")
        self.name = name


class EntryRefused(PortgaugeError):
    """The kernel does not let this process in."""

    def __init__(self, code: int) -> None:
        super().__init__(_WHY.get(code, f"entering it failed: {os.strerror(code)}"))
        self.code = code


_WHY = {
    errno.EPERM: "entering another network namespace needs CAP_SYS_ADMIN",
    errno.EACCES: "looking at other users' processes needs CAP_SYS_PTRACE, entering their namespaces CAP_SYS_ADMIN",
}


class UnknownNamespace(PortgaugeError):
    """No namespace of that name can be entered; the message names the nearest and what there is."""

    def __init__(self, name: str, known: Sequence[str], unreadable: int) -> None:
        import difflib  # noqa: PLC0415 - seldom needed, and every command would load it

        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        more = f" ({unreadable} more cannot be read: see portgauge-agent doctor)" if unreadable else ""
        super().__init__(f"no network namespace {name!r}; {hint}known: {', '.join(known)}{more}")
        self.name, self.known, self.unreadable = name, tuple(known), unreadable
