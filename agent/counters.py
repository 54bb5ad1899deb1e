"""The kernel's counters of one network namespace: some 20 µs, whatever the number of its sockets. The edge.

/proc/PID/net may be read by everybody, of processes in any namespace; the numbers are sums over the processors without
a lock. Files of other namespaces are opened anew each time: an open one would keep alive what has ended.
"""

import os
from contextlib import suppress
from functools import lru_cache

from agent.cadence import Counters
from agent.reread import Reread, whole

HERE = "/proc/thread-self/net"


class OwnCounters:
    """Those of one thread's own namespace, for reading them each second: its files are kept open."""

    def __init__(self) -> None:
        self._snmp, self._sockstat, self._sockstat6 = (
            Reread(f"{HERE}/{name}") for name in ("snmp", "sockstat", "sockstat6")
        )
        self._latest: list[tuple[Reread, bytes]] = []
        """What each held at the latest reading."""

    def read(self) -> Counters | None:
        """As they are now; None where they cannot be read."""
        self._latest = []
        try:
            told = [(file, file.read()) for file in (self._snmp, self._sockstat)]
        except OSError:
            return None
        with suppress(OSError):  # A kernel without IPv6.
            told.append((self._sockstat6, self._sockstat6.read()))
        self._latest = told
        (_, snmp), *sockstats = told
        return parse(snmp, b"".join(text for _, text in sockstats))

    def stand_still(self) -> bool:
        """Whether they are, byte for byte, what `read` found the latest time: so nothing moved, not even a segment."""
        for file, text in self._latest:
            if not file.holds(text):
                return False
        return bool(self._latest)


def read(net: str = HERE) -> tuple[Counters, int] | None:
    """The counters of the namespace whose /proc/PID/net this is, and the inode that tells namespaces apart there.

    None where they cannot be read: the process ended, or the kernel counts otherwise.
    """
    try:
        snmp, inode = _file(f"{net}/snmp")
        sockstat = _file(f"{net}/sockstat")[0] + _sockstat6(net)
    except OSError:
        return None
    counters = parse(snmp, sockstat)
    return (counters, inode) if counters else None


def _sockstat6(net: str) -> bytes:
    try:
        return _file(f"{net}/sockstat6")[0]
    except OSError:
        return b""  # A kernel without IPv6.


@lru_cache(maxsize=64)
def parse(snmp: bytes, sockstat: bytes) -> Counters | None:
    """The counters in the text of these files; None where one is missing. An idle host gives the same text again."""
    try:
        names, values = (line.split() for line in snmp.splitlines() if line.startswith(b"Tcp:"))
        tcp = {name: int(value) for name, value in zip(names[1:], values[1:], strict=True)}
        lines = dict(line.split(b": ", 1) for line in sockstat.splitlines())
        four, six = (lines.get(name, b"inuse 0").split() for name in (b"TCP", b"TCP6"))
        return Counters(
            opened=tcp[b"ActiveOpens"],
            accepted=tcp[b"PassiveOpens"],
            established=tcp[b"CurrEstab"],
            segments=tcp[b"InSegs"],
            sockets=int(four[four.index(b"inuse") + 1]) + int(six[six.index(b"inuse") + 1]),
            waiting=int(four[four.index(b"tw") + 1]),
        )
    except (ValueError, KeyError, IndexError):
        return None


def _file(path: str) -> tuple[bytes, int]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return whole(file), os.fstat(file).st_ino
    finally:
        os.close(file)
