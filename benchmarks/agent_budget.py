"""What the running agent costs its host: memory, its growth, CPU while nothing happens, and the time to its first word.

    python -m benchmarks.agent_budget [--write] [--samples 10000] [--seconds 120]

The agent is started as anybody would, at its defaults unless a figure needs otherwise, in a namespace of its own beside
a collector that takes everything (benchmarks/accepting.py) and sockets that stand still (benchmarks/fabricate.py). Bars
are checked at the end; a missed one is exit status 1.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.accepting import ADDRESS
from benchmarks.crossing import cpu_s_of
from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import REPOSITORY, fabricated
from benchmarks.sampling import SCRIPT, Counter
from tests.netns import Netns, become_root_of_own_namespaces, fresh_netns
from tests.secret import a_secret

MANY, MANY_POOLS = 200_000, 200
IDLE = 28_000
SETTLE_S = 22.0
"""Two samples: the first push opens a connection, after which the sockets are looked at once more."""
WARM_SAMPLES = 2_000
"""Until then the page cache of the spool fills, in one step."""
SAMPLES = 10_000
SECONDS = 300.0
"""As long as counters may stand in for a look at the sockets: one look is among it."""
PATIENCE_S = 120.0
BAR_BYTES, BAR_GROWTH_BYTES, BAR_CPU, BAR_SCRIPT, BAR_START_S = 45_000_000, 500_000, 0.005, 0.1, 1.0
SCRIPT_EVERY_S = 10.0
INTERRUPTED = 130


class Sizes(NamedTuple):
    """Resident memory of one process, in bytes."""

    now: int
    peak: int


@dataclass(slots=True)
class Running:
    """An agent, and the collector it tells."""

    agent: "subprocess.Popen[bytes]"
    collector: "subprocess.Popen[str]"
    start_s: float
    """From starting the process until the first snapshot was in the spool."""

    def taken(self) -> int:
        """Snapshots that the collector has."""
        self.collector.stdin.write("\n")  # type: ignore[union-attr] # opened as pipes below
        self.collector.stdin.flush()  # type: ignore[union-attr]
        return int(self.collector.stdout.readline())  # type: ignore[union-attr]

    def until_taken(self, count: int) -> None:
        """Wait until the collector has so many."""
        until_s = time.monotonic() + PATIENCE_S
        while self.taken() < count:
            if self.agent.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"{self.taken()} of {count} snapshots came")
            time.sleep(0.1)

    def sizes(self) -> Sizes:
        """Of the agent."""
        lines = Path(f"/proc/{self.agent.pid}/status").read_text().splitlines()
        kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest}
        return Sizes(kib["VmRSS"] * 1024, kib["VmHWM"] * 1024)


@contextmanager
def running(netns: Netns, *, stir_s: float | None = None, **keys: float) -> Iterator[Running]:
    """An agent beside its collector, for as long as the block is open."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        collector = _collector(netns, stir_s)
        config = place / "agent.toml"
        config.write_text("\n".join(f"{key} = {value}" for key, value in keys.items()))
        token = a_secret(place / "token", "anything")
        command = [sys.executable, "-m", "agent", "run", "--collector", "http://{}:{}".format(*ADDRESS)]
        command += ["--config", str(config), "--token-file", str(token), "--netns", "own"]
        started_s = time.monotonic()
        with (place / "log").open("wb") as log:
            agent = netns.popen([*command, "--spool", str(place / "spool")], stderr=log, cwd=REPOSITORY)
        made = Running(agent, collector, 0.0)
        while not made.taken():
            if agent.poll() is not None or time.monotonic() > started_s + PATIENCE_S:
                raise RuntimeError((place / "log").read_text())
            time.sleep(0.005)
        made.start_s = time.monotonic() - started_s
        yield made
        agent.terminate()
        agent.wait(PATIENCE_S)
        collector.communicate()


def _collector(netns: Netns, stir_s: float | None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.accepting", *(["--stir", str(stir_s)] if stir_s else [])]
    made = netns.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    if not made.stdout or made.stdout.readline() != "ready\n":
        raise RuntimeError("no collector: see above")
    return made


@contextmanager
def crowded(sockets: int, pools: int) -> Iterator[Netns]:
    """A namespace with so many idle connections in so many pools."""
    with fresh_netns() as netns:
        context = fabricated(sockets, sockets // pools)
        netns.run(context.__enter__)
        try:
            yield netns
        finally:
            netns.run(context.__exit__, None, None, None)


class Memory(NamedTuple):
    """Of an agent that looks at many sockets again and again."""

    sizes: Sizes
    samples: int


def memory(samples: int = 30, sockets: int = MANY) -> Memory:
    """Of an agent that looks so often; something moves, so that it does look."""
    with crowded(sockets, MANY_POOLS) as netns, running(netns, stir_s=0.2, interval_s=0.5, cpu_share=1.0) as made:
        made.until_taken(samples)
        return Memory(made.sizes(), made.taken())


class Growth(NamedTuple):
    """Of one process over many samples."""

    samples: int
    sizes: Sequence[int]
    """Resident bytes before, and after each tenth."""

    @property
    def grown(self) -> float:
        """Bytes over all of them, by the slope of the least squares: one step of the allocator is no trend."""
        return statistics.linear_regression(range(len(self.sizes)), self.sizes).slope * (len(self.sizes) - 1)


def growth(samples: int = SAMPLES, warm: int = WARM_SAMPLES) -> Growth:
    """Of a process that takes so many samples one after the other (benchmarks/growing.py)."""
    command = [sys.executable, "-m", "benchmarks.growing", "--samples", str(samples), "--warm", str(warm)]
    with crowded(1_000, 50) as netns:
        return Growth(samples, json.loads(netns.check_output(command, cwd=REPOSITORY, timeout=None)))


class Idling(NamedTuple):
    """What it takes to watch connections that stand still."""

    pools: int
    share: float
    """Of a core, by the agent."""
    script_share: float
    """By `ss` and awk every 10 s."""
    start_s: float


def idling(pools: int, seconds: float = SECONDS, sockets: int = IDLE) -> Idling:
    """An agent at its defaults beside the published script."""
    with crowded(sockets, pools) as netns, running(netns) as made:
        time.sleep(SETTLE_S)
        spent_s, began_s = cpu_s_of(made.agent.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_s_of(made.agent.pid) - spent_s) / (time.monotonic() - began_s)
        with Counter(netns, SCRIPT) as counter:
            script_s = min(counter.once().cpu_s for _ in range(3))
        return Idling(pools, share, script_s / SCRIPT_EVERY_S, made.start_s)


def bars(held: Memory, grown: Growth, idle: Sequence[Idling]) -> list[tuple[bool, str]]:
    """Each bar: whether it is met, and the sum."""
    peak_mb, growth_mb = held.sizes.peak / 1e6, grown.grown / 1e6
    worst, ratio = max(one.share for one in idle), max(one.share / one.script_share for one in idle)
    start_s = max(one.start_s for one in idle)
    return [
        (
            held.sizes.peak <= BAR_BYTES,
            f"{peak_mb:.1f} MB at most with {MANY:,} sockets (bar: ≤ {BAR_BYTES / 1e6:.0f})",
        ),
        (
            grown.grown <= BAR_GROWTH_BYTES,
            f"{growth_mb:+.2f} MB over {grown.samples:,} samples (bar: ≤ {BAR_GROWTH_BYTES / 1e6:.1f})",
        ),
        (worst <= BAR_CPU, f"{worst:.2%} of a core with {IDLE:,} idle sockets (bar: ≤ {BAR_CPU:.1%})"),
        (ratio <= BAR_SCRIPT, f"{ratio:.3f} of `ss` and awk every 10 s (bar: ≤ {BAR_SCRIPT})"),
        (start_s <= BAR_START_S, f"{start_s:.2f} s from start to the first snapshot (bar: ≤ {BAR_START_S:.0f})"),
    ]


def report(held: Memory, grown: Growth, idle: Sequence[Idling]) -> str:
    """The tables, where and when they were measured, and the bars."""
    memory_lines = [
        "| resident memory | MB | at its peak |\n| --- | --: | --: |",
        _memory_line(f"{MANY:,} sockets, {MANY_POOLS} pools, after {held.samples} samples", held.sizes),
        f"| without pushing: 1,000 sockets, 50 pools, after {WARM_SAMPLES:,} samples | {grown.sizes[0] / 1e6:.1f} | |",
        f"| … after {grown.samples:,} more | {grown.sizes[-1] / 1e6:.1f} | {max(grown.sizes) / 1e6:.1f} |",
    ]
    idle_lines = [
        f"| {IDLE:,} idle sockets | of a core | `ss` and awk every 10 s | first snapshot after |",
        "| --- | --: | --: | --: |",
        *(
            f"| in {one.pools} pool{'s' * (one.pools > 1)} | {one.share:.3%} | {one.script_share:.3%} |"
            f" {one.start_s:.2f} s |"
            for one in idle
        ),
    ]
    verdicts = [f"- {'met' if met else '**MISSED**'}: {what}" for met, what in bars(held, grown, idle)]
    parts = [memory_lines, idle_lines, verdicts]
    return "\n\n".join([measured_by("benchmarks.agent_budget"), *("\n".join(part) for part in parts)])


def _memory_line(what: str, sizes: Sizes) -> str:
    return f"| {what} | {sizes.now / 1e6:.1f} | {sizes.peak / 1e6:.1f} |"


def main() -> int:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="for the growth (%(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of idling, each (%(default)s)")
    arguments = parser.parse_args()
    become_root_of_own_namespaces()
    figures = memory(), growth(arguments.samples), [idling(pools, arguments.seconds) for pools in (1, 10)]
    text = report(*figures)
    print(text)
    if arguments.write:
        write_section("agent budget", text)
    return 0 if all(met for met, _ in bars(*figures)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
