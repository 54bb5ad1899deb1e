"""How many sockets a network namespace has, by the kernel's counters: far cheaper than a list of them. The edge.

/proc/PID/net/sockstat may be read by everybody, of processes in any namespace. Per namespace are `inuse` (sockets in
the tables of connections and listeners, orphans among them) and `tw` (TIME_WAIT and FIN_WAIT2 without a socket);
`orphan` and `alloc` are of the whole host. Not counted: sockets bound but neither connected nor listening. `used` is
all there are of any protocol and kind, unix sockets and those just made among them; of the host before Linux 4.17.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_USED = re.compile(r"^sockets: used (\d+)$", re.MULTILINE)
_IN_TABLES = re.compile(r"^TCP6?: inuse (\d+)", re.MULTILINE)
_COUNTS = re.compile(r"^(TCP6?|UDP6?): inuse (\d+)(?:.*? tw (\d+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SocketCounts:
    """Sockets of one network namespace, both address families together."""

    tcp: int
    udp: int


def read(net: Path = Path("/proc/thread-self/net")) -> SocketCounts | None:
    """The counts of the namespace whose /proc/PID/net this is; None where it cannot be read."""
    try:
        text = (net / "sockstat").read_text()
    except OSError:
        return None
    with suppress(OSError):  # A kernel without IPv6.
        text += (net / "sockstat6").read_text()
    return parse(text)


def outside(net: Path = Path("/proc/thread-self/net")) -> int | None:
    """How many sockets, of whatever kind, are in no table of TCP connections and listeners; None where nobody tells."""
    try:
        text = (net / "sockstat").read_text()
    except OSError:
        return None
    with suppress(OSError):  # A kernel without IPv6.
        text += (net / "sockstat6").read_text()
    used = _USED.search(text)
    return int(used.group(1)) - sum(map(int, _IN_TABLES.findall(text))) if used else None


def parse(text: str) -> SocketCounts | None:
    """The counts in the text of sockstat and sockstat6 together; None where it is neither."""
    found = _COUNTS.findall(text)
    if not found:
        return None
    by_protocol = {"TCP": 0, "UDP": 0}
    for protocol, in_use, waiting in found:
        by_protocol[protocol.rstrip("6")] += int(in_use) + int(waiting or 0)
    return SocketCounts(by_protocol["TCP"], by_protocol["UDP"])
