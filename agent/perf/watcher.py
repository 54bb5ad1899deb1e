"""Watching the whole host for connect() calls that fail for want of a port. The edge that agent.failures stays free of.

One ring a CPU, read by the clock. Without a failure nothing is written and nothing is read but a counter.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent.failures import EVENT, FILTER, NEEDS, FailureCount, Failures, Target, target_of
from agent.perf.errors import PerfRefused
from agent.perf.layout import Layout, parse_format
from agent.perf.records import Sample
from agent.perf.ring import Ring
from agent.perf.tracefs import event_format
from agent.probe import NOBODY
from shared import clock
from shared.addresses import parse_ip

CPUS_ONLINE = Path("/sys/devices/system/cpu/online")
_NOBODY = (parse_ip(NOBODY[0]), NOBODY[1])


@dataclass(slots=True)
class FailureWatcher:
    """Counts failures of every process and network namespace of the host. For one thread at a time.

    Our own probes are left out: by our process id, and by their destination where another agent's process probes.
    """

    _layout: Layout
    _rings: dict[int, Ring] = field(default_factory=dict)
    _read: int = 0
    _lost: int = 0

    @classmethod
    def start(cls, read_format: Callable[[str], str] = event_format) -> "FailureWatcher":
        """Begin to watch. Raises WatchUnavailable: what is missing and how to grant it."""
        watcher = cls(parse_format(read_format(EVENT), NEEDS))
        try:
            watcher._follow_cpus()
        except OSError as error:
            watcher.close()
            raise PerfRefused(error.errno or 0) from error
        return watcher

    def close(self) -> None:
        """Stop watching."""
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()

    @property
    def is_quiet(self) -> bool:
        """Whether no failure was seen since the last drain, by the CPUs watched so far; costs next to nothing."""
        for ring in self._rings.values():  # noqa: SIM110 - each second
            if not ring.is_empty:
                return False
        return True

    def drain(self) -> Failures:
        """What failed since the last call; call each second or so, while the processes that failed still live.

        Never raises for a CPU that went away; a CPU that came is watched from the next call on.
        """
        hits = sum(ring.hits() for ring in self._rings.values())
        seen = [sample for ring in self._rings.values() for sample in ring.drain()]
        self._read += len(seen)
        lost = max(0, hits - self._read - self._lost)
        self._lost += lost
        with suppress(OSError):
            self._follow_cpus()
        return self._counted([sample for sample in seen if sample.pid != os.getpid()], lost)

    def _follow_cpus(self) -> None:
        for cpu in sorted(cpus(CPUS_ONLINE.read_text()) - self._rings.keys()):
            self._rings[cpu] = Ring(self._layout.event_id, cpu, FILTER)

    def _counted(self, seen: list[Sample], lost: int) -> Failures:
        ahead_ms = clock.wall_ms() - clock.monotonic_s() * 1000
        namespace_of = {tid: _netns_of(tid) for tid in {sample.tid for sample in seen}}
        counts: dict[Target, FailureCount] = {}
        for sample in seen:
            target = target_of(sample.raw, self._layout, namespace_of[sample.tid])
            if (target.peer, target.peer_port) == _NOBODY:
                continue
            at_ms = round(sample.time_ns / 1_000_000 + ahead_ms)
            one = FailureCount(1, at_ms, at_ms)
            counts[target] = counts[target] + one if target in counts else one
        return Failures().plus(Failures(counts, lost))


def cpus(text: str) -> set[int]:
    """Read a list of CPUs as sysfs writes it, `0-3,8`."""
    ends = [part.split("-") for part in text.strip().split(",")]
    return {cpu for one in ends for cpu in range(int(one[0]), int(one[-1]) + 1)}


def _netns_of(tid: int) -> int:
    """The network namespace (inode) a thread is in now; 0 where it is gone, not ours to see or not in our /proc."""
    try:
        return Path(f"/proc/{tid}/ns/net").stat().st_ino if tid else 0
    except OSError:
        return 0
