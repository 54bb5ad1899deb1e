"""How long after a pool reached a threshold the agent saw it: from zero to full, at several rates.

    python -m benchmarks.crossing [--write] [--rate 3500 …]

starts the agent as anybody would, at its defaults, in a namespace of its own, fills one pool there (tests/filler.py),
and reads from the agent's spool when the first snapshot was taken that shows each threshold reached. Bars are checked
at the end; a missed one is exit status 1.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from agent.config import THRESHOLDS
from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import REPOSITORY
from shared.model import Snapshot
from shared.ports import PortRange
from shared.wire import decode
from tests.netns import Netns, become_root_of_own_namespaces, fresh_netns
from tests.secret import a_secret

RATES = (1_000.0, 3_500.0, 7_000.0, 14_000.0)
DEFAULT_RANGE = PortRange(32_768, 60_999)
LEVELS = THRESHOLDS
LATEST_S = 1.5
PATIENCE_S = 60.0
SETTLE_S = 2.5
"""Past the last level: time for the sample that shows it."""
CANARY_S = 0.01
CPUCLOCK_SCHED = 2
"""As clock_getcpuclockid(3) makes it: /proc/PID/stat counts in hundredths of a second, an idle agent takes three."""
INTERRUPTED = 130


class Crossing(NamedTuple):
    """One threshold, reached and seen."""

    level: float
    late_s: float
    """From the connection that reached it to the beginning of the sample that shows it; inf where none does."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What became of one filling."""

    wanted_rate: float
    rate: float
    """Connections a second that there were."""
    crossings: Sequence[Crossing]
    samples: int
    """Samples during the filling."""
    agent_cpu_s: float
    """CPU that the agent took from the first connection to the end, the settling included."""
    seconds: float
    pause_s: float
    """For how long, at worst, the machine did not run a process that wanted to."""

    @property
    def latest_s(self) -> float:
        """The worst of the thresholds."""
        return max(one.late_s for one in self.crossings)


@dataclass(slots=True)
class Canary:
    """Sleeps briefly, again and again, and notes how much longer it took at worst: the machine's share of a delay."""

    worst_s: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For as long as the block is open."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            before_s = time.monotonic()
            time.sleep(CANARY_S)
            self.worst_s = max(self.worst_s, time.monotonic() - before_s - CANARY_S)


def fill(rate: float, port_range: PortRange = DEFAULT_RANGE) -> Filling:
    """Fill one pool in a fresh namespace, watched by an agent at its defaults."""
    with fresh_netns() as netns, tempfile.TemporaryDirectory() as directory:
        netns.set_sysctl("ipv4/ip_local_port_range", f"{port_range.low} {port_range.high}")
        place, canary = Path(directory), Canary()
        agent = _agent(netns, place)
        filler = _filler(netns, rate, port_range)
        began_cpu_s, began_s, began_ms = cpu_s_of(agent.pid), time.monotonic(), time.time() * 1000
        with canary.watching():
            told = _told_by(filler)
            time.sleep(SETTLE_S)
        took_s, took_cpu_s = time.monotonic() - began_s, cpu_s_of(agent.pid) - began_cpu_s
        agent.terminate()
        agent.wait(PATIENCE_S)
        seen = [one for one in snapshots(place / "spool") if one.taken_at_ms >= began_ms]
        crossings = crossings_of(seen[:-1], told.reached_at_ms)
        return Filling(rate, told.rate, crossings, len(seen) - 1, took_cpu_s, took_s, canary.worst_s)


def _agent(netns: Netns, place: Path) -> "subprocess.Popen[bytes]":
    token = a_secret(place / "token", "nobody-takes-it")
    command = [sys.executable, "-m", "agent", "run", "--collector", "http://127.0.0.1:9", "--token-file", str(token)]
    command += ["--netns", "own", "--spool", str(place / "spool"), "--log-level", "debug"]
    with (place / "log").open("wb") as log:
        agent = netns.popen(command, stderr=log, cwd=REPOSITORY)
    until_s = time.monotonic() + PATIENCE_S
    while "sampled" not in (place / "log").read_text():
        if agent.poll() is not None or time.monotonic() > until_s:
            raise RuntimeError((place / "log").read_text())
        time.sleep(0.05)
    return agent


def _filler(netns: Netns, rate: float, port_range: PortRange) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.filler", "--rate", str(rate)]
    command += ["--ports", f"{port_range.low}-{port_range.high}", "--levels", ",".join(map(str, LEVELS))]
    filler = netns.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    if not filler.stdout or filler.stdout.readline() != "ready\n":
        raise RuntimeError("nothing could be filled: see above")
    return filler


class Told(NamedTuple):
    """What tests/filler.py says."""

    reached_at_ms: list[float]
    rate: float


def _told_by(filler: "subprocess.Popen[str]") -> Told:
    filler.stdin.write("\n")  # type: ignore[union-attr] # opened as pipes above
    filler.stdin.flush()  # type: ignore[union-attr]
    return Told(**json.loads(filler.stdout.readline()))  # type: ignore[union-attr]


def cpu_s_of(pid: int) -> float:
    """CPU seconds, user and system, that a process took so far, its ended threads included."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def snapshots(spool: Path) -> list[Snapshot]:
    """What an agent that has ended left unsent, in its order."""
    with sqlite3.connect(spool / "spool.db") as db:
        bodies = db.execute("SELECT body FROM snapshot ORDER BY seq").fetchall()
    db.close()
    return [decode(body) for (body,) in bodies]


def crossings_of(seen: Sequence[Snapshot], reached_at_ms: Sequence[float]) -> list[Crossing]:
    """For each level how late the first snapshot is that shows it. Pure."""
    found = []
    for level, at_ms in zip(LEVELS, reached_at_ms, strict=True):
        shown = [one.taken_at_ms for one in seen if any(each.held >= level * each.capacity for each in one.readings)]
        found.append(Crossing(level, (min(shown) - at_ms) / 1000 if shown else float("inf")))
    return found


def table(fillings: Sequence[Filling]) -> str:
    """As markdown, a line a filling."""
    head = ["connections/s", *(f"{level:.0%}" for level in LEVELS), "samples", "CPU s", "of a core", "worst pause s"]
    lines = [_line(head), _line(["--:"] * len(head))]
    for one in fillings:
        late = [f"{crossing.late_s:.2f}" for crossing in one.crossings]
        cpu = [f"{one.agent_cpu_s:.2f}", f"{one.agent_cpu_s / one.seconds:.1%}"]
        lines.append(_line([f"{one.rate:,.0f}", *late, str(one.samples), *cpu, f"{one.pause_s:.2f}"]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def report(fillings: Sequence[Filling]) -> str:
    """The table, where and when it was measured, and the bar."""
    latest_s = max(one.latest_s for one in fillings)
    verdict = f"{'met' if latest_s <= LATEST_S else '**MISSED**'}: the latest is {latest_s:.2f} s (bar: ≤ {LATEST_S} s)"
    return f"{measured_by('benchmarks.crossing')} Seconds late, by threshold.\n\n{table(fillings)}\n\n- {verdict}"


def main() -> int:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--rate", type=float, action="append", help="connections a second (several)")
    arguments = parser.parse_args()
    become_root_of_own_namespaces()
    fillings = [fill(rate) for rate in arguments.rate or RATES]
    text = report(fillings)
    print(text)
    if arguments.write:
        write_section("crossing", text)
    return 0 if all(one.latest_s <= LATEST_S for one in fillings) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
