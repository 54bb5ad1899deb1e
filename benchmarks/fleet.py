"""A paced fleet: kept-alive agents that report every ten seconds, over a whole collector, evaluation and history on.

    python -m benchmarks.fleet                                   # 1,000 agents for a minute
    python -m benchmarks.fleet --hosts 10000 --seconds 180       # the target: CPU ≤ 25 %, RSS ≤ 0.6 GB, nothing lost
    python -m benchmarks.fleet --hosts 10000 --postgresql --ingest 2

The agents live in processes of their own, five thousand connections each.
"""

import argparse
import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.ingest import cpu_of
from benchmarks.load import Body, Sender, Told, push
from tests.collector_process import Serving, a_token, run, serving
from tests.postgres import cluster

INTERVAL_S = 10.0
A_PROCESS = 5_000
SETTLING_S = INTERVAL_S + 5.0
"""Until every agent has connected and reported once: CPU is counted from then on."""


async def _agents(address: str, token: str, first: int, count: int, seconds: float) -> Told:
    told = Told()
    host, _, port = address.removeprefix("http://").partition(":")
    began_s = time.monotonic()

    async def agent(number: int) -> None:
        body, chance = Body(f"lb{number:05}"), random.Random(number)
        await asyncio.sleep(chance.random() * INTERVAL_S)
        _, sender = await asyncio.get_running_loop().create_connection(lambda: Sender(told.add), host, int(port))
        seq = 0
        while time.monotonic() < began_s + seconds:
            seq += 1
            sender.send(push(body.at(seq, int(time.time() * 1000)), token))
            await asyncio.sleep(INTERVAL_S)
        sender.transport.close()

    await asyncio.gather(*(agent(number) for number in range(first, first + count)))
    return told


def agents(address: str, token: str, first: int, count: int, seconds: float) -> Told:
    """In a process of its own: a stretch of the fleet, for so long."""
    return asyncio.run(_agents(address, token, first, count, seconds))


def rss_mb(pid: int) -> float:
    """Resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def measure(arguments: argparse.Namespace, collectors: list[Serving], token: str) -> Told:
    """Run the fleet, and print what the collectors took."""
    parts = [(first, min(A_PROCESS, arguments.hosts - first)) for first in range(0, arguments.hosts, A_PROCESS)]
    takers = collectors[: arguments.ingest] if len(collectors) > 1 else collectors
    pids = [one.process.pid for one in collectors]
    told = Told()
    with ProcessPoolExecutor(len(parts), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [
            pool.submit(agents, takers[number % len(takers)].url, token, *part, arguments.seconds)
            for number, part in enumerate(parts)
        ]
        time.sleep(SETTLING_S)
        began_s, began_cpu_s = time.monotonic(), [cpu_of(pid) for pid in pids]
        for job in jobs:
            found = job.result()
            told.latencies_s += found.latencies_s
            for status, count in found.statuses.items():
                told.statuses[status] = told.statuses.get(status, 0) + count
    elapsed_s = time.monotonic() - began_s
    for pid, before_s in zip(pids, began_cpu_s, strict=True):
        print(f"collector {pid}: CPU {(cpu_of(pid) - before_s) / elapsed_s:.1%} of a core, RSS {rss_mb(pid):,.0f} MB")
    return told


def main() -> None:
    """Start collectors, run, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--ingest", type=int, default=1, help="how many ingest processes, beside the leader")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        database = stack.enter_context(cluster()).url() if arguments.postgresql else str(directory / "history.db")
        if run("migrate", "--database", database).returncode:
            sys.exit("the database cannot be migrated")
        token, read = a_token(database, "--scope", "push"), a_token(database, "--scope", "read")
        roles = [*["ingest"] * arguments.ingest, "leader"] if arguments.postgresql else ["all"]
        collectors = [
            stack.enter_context(serving(database, "--role", role, log=directory / f"{number}.log"))
            for number, role in enumerate(roles)
        ]
        told = measure(arguments, collectors, token)
        taken = told.statuses.get(202, 0)
        answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(told.statuses.items()))
        print(f"{taken / arguments.seconds:,.0f} pushes/s; answers {answers}; p99 {told.p99_ms():.0f} ms")
        stored = sum(_received(collector, read) for collector in collectors)
        print(f"acknowledged {taken:,}, stored {stored:,}: {'nothing lost' if stored >= taken else 'LOST'}")


def _received(collector: Serving, token: str) -> int:
    text = collector.get("/metrics", token).decode()
    prefix = "portgauge_collector_snapshots_total"
    return sum(int(float(line.rpartition(" ")[2])) for line in text.splitlines() if line.startswith(prefix))


if __name__ == "__main__":
    main()
