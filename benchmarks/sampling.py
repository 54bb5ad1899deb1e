"""What one sample costs, beside the floor and the ways people count ports today.

    python -m benchmarks.sampling [--million] [--write] [--mixed]

fabricates sockets in a namespace of its own and lets each way count them in turn, every measurement next to one of the
floor: a bare netlink dump with the agent's own request, received and thrown away. The machine's mood moves both, so
the ratio of neighbours says more than either time. A neighbour on the other half of a core slows code that computes far
more than a walk through the kernel's tables, so rounds in which somebody else was busy are measured again. Bars are
checked at the end; a missed one is exit status 1.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import REPOSITORY, fabricated, leave_in_time_wait
from benchmarks.ways import Cost
from tests.netns import Netns, become_root_of_own_namespaces, fresh_netns

FLOOR, OURS, SCRIPT = "floor", "portgauge", "ss-awk"
LABELS = {
    FLOOR: "floor: bare dump, nothing parsed",
    "floor-by-family": "floor as two requests, one a family",
    OURS: "**portgauge, one sample**",
    "portgauge-refreshing": "portgauge, sample that also looks for binders",
    SCRIPT: "`ss -Htan` piped to awk",
    "proc-net-tcp": "/proc/net/tcp in Python",
    "psutil": "psutil.net_connections",
    "pyroute2": "pyroute2 DiagSocket",
}
RECYCLING = "portgauge-recycling"
MIXED_LABELS = {
    FLOOR: LABELS[FLOOR],
    OURS: LABELS[OURS],
    RECYCLING: "portgauge, where connect() may recycle them",
    SCRIPT: LABELS[SCRIPT],
}
MIXED = 100_000
MIXED_ROUNDS = 5
MIXED_BUDGET_S = 40.0
"""Half of MIXED are TIME_WAITs, which the kernel forgets after 60 s; making them takes the rest."""
SIZES = (20_000, 200_000)
MILLION = 1_000_000
AT_MOST = {"pyroute2": 200_000}
"""It keeps every socket as an object, 7 kB each: a million would take minutes and gigabytes."""
MOST_ROUNDS = 21
TRIES = 2
"""Measurements a wanted round may take, until one is undisturbed; if none is, the disturbed ones have to do."""
QUIET = 0.1
"""CPUs that everything else may keep busy during an undisturbed round."""
BUDGET_S = 15.0
"""Wall time a way may take at one size, after the first, uncounted run; each is measured once at least."""
INTERRUPTED = 130
BAR_SOCKETS = 200_000
BAR_FLOOR, BAR_SCRIPT, BAR_BYTES = 1.25, 2.0, 45_000_000


class Round(NamedTuple):
    """One measurement, and one of the floor just before."""

    floor: Cost
    cost: Cost
    others: float
    """CPUs that everything else kept busy meanwhile, on the average."""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody else disturbed it."""
        return self.others <= QUIET


@dataclass(slots=True)
class Row:
    """One way at one size."""

    rounds: list[Round] = field(default_factory=list)

    @property
    def counted(self) -> list[Round]:
        """The undisturbed rounds; all, where none was."""
        return [one for one in self.rounds if one.is_quiet] or self.rounds

    @property
    def is_disturbed(self) -> bool:
        """Whether no round was undisturbed."""
        return not any(one.is_quiet for one in self.rounds)

    @property
    def ratio(self) -> float:
        """Median of the paired ratios."""
        return statistics.median(one.cost.cpu_s / one.floor.cpu_s for one in self.counted)

    @property
    def best_ratio(self) -> float:
        """The quickest run against the quickest run of the floor: what is left when nobody disturbs either."""
        return min(one.cost.cpu_s for one in self.rounds) / min(one.floor.cpu_s for one in self.rounds)

    @property
    def peak_bytes(self) -> int:
        """The most that any run held."""
        return max(one.cost.peak_bytes for one in self.rounds)

    def wants(self, rounds: int) -> bool:
        """Whether it takes more to have so many undisturbed rounds, within reason."""
        return sum(one.is_quiet for one in self.rounds) < rounds and len(self.rounds) < rounds * TRIES

    def cells(self) -> list[str]:
        """CPU ms, wall ms, times the floor, the same of the quickest runs, peak MB, rounds."""
        cpu_ms = statistics.median(one.cost.cpu_s for one in self.counted) * 1e3
        wall_ms = statistics.median(one.cost.wall_s for one in self.counted) * 1e3
        rounds = str(len(self.counted)) + (", disturbed" if self.is_disturbed else "")
        ratios = [f"{self.ratio:.2f}", f"{self.best_ratio:.2f}"]
        return [f"{cpu_ms:,.1f}", f"{wall_ms:,.1f}", *ratios, f"{self.peak_bytes / 1e6:,.0f}", rounds]


class Counter:
    """One way in its process."""

    def __init__(self, netns: Netns, name: str) -> None:
        self._process = netns.popen(
            [sys.executable, "-m", "benchmarks.ways", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def once(self) -> Cost:
        """Let it count."""
        self._process.stdin.write("\n")  # type: ignore[union-attr] # opened as pipes above
        self._process.stdin.flush()  # type: ignore[union-attr]
        return Cost(*json.loads(self._process.stdout.readline())["cost"])  # type: ignore[union-attr]


def compare(sockets: int, most_rounds: int) -> dict[str, Row]:
    """Measure every way at one size, by turns."""
    with fresh_netns() as netns, ExitStack() as stack:
        netns.run(stack.enter_context, fabricated(sockets))
        names = [name for name in LABELS if sockets <= AT_MOST.get(name, sockets)]
        counters = {name: stack.enter_context(Counter(netns, name)) for name in names}
        return _by_turns(counters, most_rounds)


def compare_mixed(most_rounds: int) -> dict[str, Row]:
    """Measure where half of the sockets are in TIME_WAIT: records of two lengths, in no order.

    First as if the peers were elsewhere, so that nothing is recycled; then so that it may be, which takes reading ages.
    """
    with fresh_netns() as netns, ExitStack() as stack:
        netns.run(stack.enter_context, fabricated(MIXED // 2))
        counters = {name: stack.enter_context(Counter(netns, name)) for name in (FLOOR, OURS, SCRIPT)}
        netns.set_sysctl("ipv4/tcp_tw_reuse", "0")
        netns.run(leave_in_time_wait, MIXED // 2)
        until_s = time.monotonic() + MIXED_BUDGET_S
        rows = _by_turns(counters, most_rounds, until_s)
        netns.set_sysctl("ipv4/tcp_tw_reuse", "1")
        del counters[SCRIPT]
        return {**rows, RECYCLING: _by_turns(counters, most_rounds, until_s)[OURS]}


def _by_turns(counters: Mapping[str, Counter], most_rounds: int, until_s: float = math.inf) -> dict[str, Row]:
    """Each as often as it wants, once at least; no further round begins after `until_s` (monotonic)."""
    rounds = {name: _rounds(counter.once(), most_rounds) for name, counter in counters.items()}
    rows = {name: Row() for name in counters}
    while wanting := [name for name in counters if rows[name].wants(rounds[name])]:
        for name in wanting:
            rows[name].rounds.append(_measure(counters[FLOOR], counters[name]))
        if time.monotonic() > until_s:
            break
    return rows


def _rounds(first: Cost, most: int) -> int:
    return max(1, min(most, int(BUDGET_S / first.wall_s)))


def _measure(floor: Counter, counter: Counter) -> Round:
    started_s, busy_s = time.perf_counter(), _busy_s()
    beside, cost = floor.once(), counter.once()
    others_s = _busy_s() - busy_s - beside.cpu_s - cost.cpu_s
    return Round(beside, cost, others_s / (time.perf_counter() - started_s))


def _busy_s() -> float:
    """CPU seconds that all CPUs together were busy since boot, in steps of 10 ms; what a hypervisor took included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def table(title: str, rows: Mapping[str, Row], labels: Mapping[str, str] = LABELS) -> str:
    """One size as markdown, a line a label."""
    head = ["CPU ms", "wall ms", "CPU × floor", "quickest × floor", "peak RSS MB", "rounds"]
    not_run = ["not run", *[""] * (len(head) - 1)]
    lines = [_line([title, *head]), _line(["---", *["--:"] * len(head)])]
    lines += [_line([label, *(rows[name].cells() if name in rows else not_run)]) for name, label in labels.items()]
    return "\n".join(lines)


def report_mixed(rows: Mapping[str, Row]) -> str:
    """What compare_mixed measured, where and when."""
    told = table(f"{MIXED:,} sockets, half in TIME_WAIT", rows, MIXED_LABELS)
    return f"{measured_by('benchmarks.sampling')}\n\n{told}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def bars(results: Mapping[int, Mapping[str, Row]]) -> list[tuple[bool, str]]:
    """Each bar that these sizes can judge: whether it is met, and the sum."""
    judged = []
    if BAR_SOCKETS in results:
        rows = results[BAR_SOCKETS]
        floor, script = rows[OURS].ratio, rows[SCRIPT].ratio / rows[OURS].ratio
        more = f"quickest runs {rows[OURS].best_ratio:.2f}" + (", all disturbed" if rows[OURS].is_disturbed else "")
        judged += [
            (
                floor <= BAR_FLOOR,
                f"a sample costs {floor:.2f} × the floor at {BAR_SOCKETS:,} (bar: ≤ {BAR_FLOOR}; {more})",
            ),
            (script >= BAR_SCRIPT, f"`ss` and awk cost {script:.1f} × a sample there (bar: ≥ {BAR_SCRIPT:.0f})"),
        ]
    if MILLION in results:
        peak = results[MILLION][OURS].peak_bytes
        said = f"the sampling process peaks at {peak / 1e6:.0f} MB at a million (bar: ≤ {BAR_BYTES / 1e6:.0f} MB)"
        judged.append((peak <= BAR_BYTES, said))
    return judged


def report(results: Mapping[int, Mapping[str, Row]]) -> str:
    """All sizes, where and when they were measured, and the bars."""
    tables = [table(f"{sockets:,} sockets", rows) for sockets, rows in results.items()]
    verdicts = "\n".join(f"- {'met' if met else '**MISSED**'}: {what}" for met, what in bars(results))
    return "\n\n".join([measured_by("benchmarks.sampling"), *tables, verdicts])


def main() -> int:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true", help="measure 1,000,000 sockets too (about 6 GB, minutes)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--mixed", action="store_true", help="only the table with TIME_WAIT (half a minute)")
    parser.add_argument("--rounds", type=int, default=MOST_ROUNDS, help="at most so many of each (%(default)s)")
    arguments = parser.parse_args()
    become_root_of_own_namespaces()
    mixed = report_mixed(compare_mixed(min(arguments.rounds, MIXED_ROUNDS)))
    print(mixed, end="\n\n", flush=True)
    if arguments.write:
        write_section("sampling mixed", mixed)
    return 0 if arguments.mixed else compare_sizes(arguments)


def compare_sizes(arguments: argparse.Namespace) -> int:
    """Measure what the bars judge, print, and write where asked; 1 where a bar is missed."""
    sizes = [*SIZES, *([MILLION] if arguments.million else [])]
    results = {}
    for sockets in sizes:
        results[sockets] = compare(sockets, arguments.rounds)
        print(table(f"{sockets:,} sockets", results[sockets]), end="\n\n", flush=True)
    text = report(results)
    print(text.rpartition("\n\n")[2])
    if arguments.write:
        write_section("sampling", text)
    return 0 if all(met for met, _ in bars(results)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
