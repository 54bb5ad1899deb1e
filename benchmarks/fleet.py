"""A paced fleet: kept-alive agents that report every ten seconds, over a whole collector, evaluation and history on.

    python -m benchmarks.fleet                                   # 1,000 agents for a minute
    python -m benchmarks.fleet --hosts 1000 5000 10000 --seconds 180 --write   # CPU ≤ 25 %, RSS ≤ 0.6 GB, nothing lost
    python -m benchmarks.fleet --hosts 10000 --seconds 930 --write             # its log becomes history meanwhile
    python -m benchmarks.fleet --hosts 10000 --seconds 180 --postgresql --ingest 2 --write

The agents live in processes of their own, five thousand connections each.
"""

import argparse
import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.document import measured_by, write_section
from benchmarks.ingest import cpu_of
from benchmarks.load import Body, Sender, Told, push
from collector.history.tiers import RAW
from tests.collector_process import Serving, a_token, run, serving
from tests.postgres import cluster

INTERVAL_S = 10.0
WINDOW_S = RAW.span_ms / 1000
"""How long a run must be for it to have its share of what becomes history."""
A_PROCESS = 5_000
KINDS = 64
"""How many hosts differ in more than their name: encoding thousands would hold up the first reports."""
STORED = "portgauge_collector_snapshots_total"
SETTLED = 'portgauge_collector_history_snapshots_total{result="settled"}'
SETTLING_S = INTERVAL_S + 5.0
"""Until every agent has connected and reported once: CPU is counted from then on."""


async def _agents(address: str, token: str, first: int, count: int, seconds: float) -> Told:
    told, kinds = Told(), [Body(f"kd{number:05}") for number in range(KINDS)]
    bodies = [kinds[number % KINDS].of(f"lb{number:05}") for number in range(first, first + count)]
    host, _, port = address.removeprefix("http://").partition(":")
    began_s = time.monotonic()

    async def agent(number: int, body: Body) -> None:
        chance = random.Random(number)
        await asyncio.sleep(chance.random() * INTERVAL_S)
        _, sender = await asyncio.get_running_loop().create_connection(lambda: Sender(told.add), host, int(port))
        seq = 0
        while time.monotonic() < began_s + seconds:
            seq += 1
            sender.send(push(body.at(seq, int(time.time() * 1000)), token))
            await asyncio.sleep(INTERVAL_S)
        sender.transport.close()

    await asyncio.gather(*(agent(number, body) for number, body in enumerate(bodies, first)))
    return told


def agents(address: str, token: str, first: int, count: int, seconds: float) -> Told:
    """In a process of its own: a stretch of the fleet, for so long."""
    return asyncio.run(_agents(address, token, first, count, seconds))


def rss_mb(pid: int) -> float:
    """Resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


@dataclass(frozen=True, slots=True)
class Run:
    """What a fleet of so many hosts was told, and what the collectors took: of a core, and MB each."""

    hosts: int
    told: Told
    cpu: Sequence[float]
    rss_mb: Sequence[float]
    stored: int
    settled: int
    """Snapshots that became history meanwhile: ten minutes of them when those are over."""

    @property
    def row(self) -> str:
        """A line of the table."""
        taken = self.told.statuses.get(202, 0)
        others = sum(self.told.statuses.values()) - taken
        fate = f"{taken:,} of {taken:,}" if self.stored >= taken else f"**{self.stored:,}** of {taken:,}"
        cpu = " + ".join(f"{one:.1%}" for one in self.cpu)
        rss = " + ".join(f"{one:,.0f} MB" for one in self.rss_mb)
        return (
            f"| {self.hosts:,} | {cpu} | {rss} | {self.told.p99_ms():.0f} ms | {fate} | {others:,} | {self.settled:,} |"
        )


def measure(arguments: argparse.Namespace, hosts: int, collectors: list[Serving], tokens: tuple[str, str]) -> Run:
    """Run the fleet. `tokens`: one that pushes, one that reads."""
    parts = [(first, min(A_PROCESS, hosts - first)) for first in range(0, hosts, A_PROCESS)]
    takers = collectors[: arguments.ingest] if len(collectors) > 1 else collectors
    pids = [one.process.pid for one in collectors]
    told = Told()
    with ProcessPoolExecutor(len(parts), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [
            pool.submit(agents, takers[number % len(takers)].url, tokens[0], *part, arguments.seconds)
            for number, part in enumerate(parts)
        ]
        time.sleep(SETTLING_S)
        began_s, began_cpu_s = time.monotonic(), [cpu_of(pid) for pid in pids]
        for job in jobs:
            told.add_all(job.result())
    elapsed_s = time.monotonic() - began_s
    cpu = [(cpu_of(pid) - before_s) / elapsed_s for pid, before_s in zip(pids, began_cpu_s, strict=True)]
    stored, settled = (sum(_counted(one, tokens[1], name) for one in collectors) for name in (STORED, SETTLED))
    return Run(hosts, told, cpu, [rss_mb(pid) for pid in pids], stored, settled)


def run_of(arguments: argparse.Namespace, hosts: int) -> Run:
    """A database and collectors of its own, and a fleet."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        database = stack.enter_context(cluster()).url() if arguments.postgresql else str(directory / "history.db")
        if run("migrate", "--database", database).returncode:
            sys.exit("the database cannot be migrated")
        tokens = a_token(database, "--scope", "push"), a_token(database, "--scope", "read")
        roles = [*["ingest"] * arguments.ingest, "leader"] if arguments.postgresql else ["all"]
        collectors = [
            stack.enter_context(serving(database, "--role", role, log=directory / f"{number}.log"))
            for number, role in enumerate(roles)
        ]
        return measure(arguments, hosts, collectors, tokens)


def main() -> None:
    """Start collectors, run, print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", default=[1_000])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--ingest", type=int, default=1, help="how many ingest processes, beside the leader")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    lines = [
        "| hosts | CPU of a core | resident | p99 of an answer | stored of what was acknowledged | refused | settled |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    for hosts in arguments.hosts:
        lines.append(run_of(arguments, hosts).row)
        print(lines[-1], flush=True)
    if arguments.write:
        name = (
            "fleet-postgresql" if arguments.postgresql else "fleet-long" if arguments.seconds >= WINDOW_S else "fleet"
        )
        write_section(name, "\n".join([measured_by("benchmarks.fleet"), "", *lines]))


def _counted(collector: Serving, token: str, prefix: str) -> int:
    text = collector.get("/metrics", token).decode()
    return sum(int(float(line.rpartition(" ")[2])) for line in text.splitlines() if line.startswith(prefix))


if __name__ == "__main__":
    main()
