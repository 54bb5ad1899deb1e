"""What it costs to take a fleet's readings in: the collector beside Prometheus, in one run, by turns.

    python -m benchmarks.ingest             # three rounds, printed
    python -m benchmarks.ingest --write     # into docs/performance.md

Each side is a real process on its own processor, kept-alive connections send one report a host and wait for its
answer. CPU is the server's own (/proc/PID/stat), a million readings' worth. The collector stores every state of every
pool and answers when it is on the disk; its evaluation and compaction are in `benchmarks.fleet`. Prometheus answers
before its log is synced.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from benchmarks.document import measured_by, write_section
from benchmarks.load import Body, Told, as_fast_as_answered, push, remote_write, series_of
from tests.collector_process import a_token, run
from tests.postgres import Cluster, cluster, why_none

HOSTS, PUSHES, POOLS = 200, 20, 50
READINGS = HOSTS * PUSHES * POOLS
TICKS = os.sysconf("SC_CLK_TCK")
Requests = Callable[[int], list[Iterator[bytes]]]
"""The streams of one round, by its number."""


@dataclass(slots=True)
class Side:
    """One of those compared, and what was measured of it."""

    name: str
    pid: int
    address: tuple[str, int]
    requests: Requests
    others: Callable[[], float] = lambda: 0.0
    """CPU seconds of processes that work for it."""
    cpu_s: list[float] = field(default_factory=list)
    other_s: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        """Seconds a million readings."""
        per_million = 1e6 / READINGS
        others = statistics.median(self.other_s) * per_million
        return [
            self.name,
            f"{statistics.median(self.cpu_s) * per_million:.2f}",
            f"{others:.2f}" if others else "–",
            f"{statistics.median(self.p99_ms):.0f}",
        ]


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_children(parent: int) -> float:
    """Of a process and its children, those that ended included."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent or stat.parent.name == str(parent):
                total += sum(int(one) for one in fields[11:15]) / TICKS
    return total


# --- who is compared -------------------------------------------------------------------------------------------------


@contextmanager
def process(command: Sequence[str | Path], **options: object) -> Iterator["subprocess.Popen[str]"]:
    """A server on the last processor, ended with the block."""
    with subprocess.Popen(["taskset", "-c", _server_cpu(), *command], text=True, **options) as started:  # type: ignore[call-overload]
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(30)


def _server_cpu() -> str:
    return str(max(os.sched_getaffinity(0)))


@contextmanager
def collector(name: str, database: str, directory: Path) -> Iterator[Side]:
    """Ingest alone, as `serve --role ingest` is; SQLite's like is `benchmarks.ingest_alone`."""
    assert run("migrate", "--database", database).returncode == 0  # noqa: S101 - no benchmark without
    token = a_token(database, "--scope", "push")
    log = (directory / f"{name}.log").open("w")
    with (
        log,
        process(
            [sys.executable, "-m", "benchmarks.ingest_alone", database], stdout=subprocess.PIPE, stderr=log
        ) as made,
    ):
        assert made.stdout  # noqa: S101 - a pipe was asked for
        host, _, port = made.stdout.readline().strip().removeprefix("http://").partition(":")
        bodies = [Body(f"lb{number:04}", POOLS) for number in range(HOSTS)]

        def requests(turn: int) -> list[Iterator[bytes]]:
            return [_pushes(body, token, turn) for body in bodies]

        yield Side(name, made.pid, (host, int(port)), requests)


def _pushes(body: Body, token: str, turn: int) -> Iterator[bytes]:
    began_ms = int(time.time() * 1000)
    for number in range(PUSHES):
        yield push(body.at(turn * PUSHES + number + 1, began_ms + number), token)


@contextmanager
def prometheus(directory: Path) -> Iterator[tuple[int, int]]:
    """Debian's, taking remote-write: (pid, port)."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    (directory / "prometheus.yml").write_text("global: {}\n")
    command = [
        "prometheus",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--config.file={directory / 'prometheus.yml'}",
        "--log.level=error",
    ]
    with process(command) as made:
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        time.sleep(2)
        yield made.pid, port


def prometheus_side(name: str, pid: int, port: int, values: int, hosts_a_request: int) -> Side:
    """`hosts_a_request` reports share a request; Prometheus wants its own series for each case."""
    reports = [
        series_of(Body(f"{values}-{hosts_a_request}-{number:04}", POOLS).report, values) for number in range(HOSTS)
    ]
    began_ms = int(time.time() * 1000) - 3_000_000
    groups = [list(chain.from_iterable(reports[at : at + hosts_a_request])) for at in range(0, HOSTS, hosts_a_request)]

    def stream(group: Sequence[bytes], turn: int) -> Iterator[bytes]:
        return (remote_write(group, began_ms + (turn * PUSHES + number) * 10_000) for number in range(PUSHES))

    return Side(name, pid, ("127.0.0.1", port), lambda turn: [stream(group, turn) for group in groups])


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(side: Side, turn: int) -> None:
    """One turn of one side."""
    streams = side.requests(turn)
    began_s, others_s = cpu_of(side.pid), side.others()
    told: Told = asyncio.run(as_fast_as_answered(*side.address, streams))
    time.sleep(0.3)
    side.cpu_s.append(cpu_of(side.pid) - began_s)
    side.other_s.append(side.others() - others_s)
    side.p99_ms.append(told.p99_ms())
    refused = {status: count for status, count in told.statuses.items() if status not in {202, 204}}
    if refused:
        sys.exit(f"{side.name}: answered {refused}")


def compare(rounds: int) -> list[Side]:
    """All sides by turns; the first turn, where hosts and series are new, is not counted."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ingest-")))
        sides = [stack.enter_context(collector("portgauge, SQLite", str(directory / "history.db"), directory))]
        if not why_none():
            server: Cluster = stack.enter_context(cluster())
            side = stack.enter_context(collector("portgauge, PostgreSQL", server.url(), directory))
            assert server.process  # noqa: S101 - it runs
            side.others = partial(cpu_of_children, server.process.pid)
            sides.append(side)
        pid, port = stack.enter_context(prometheus(directory))
        sides.append(prometheus_side("Prometheus, one value a pool, a request a host", pid, port, 1, 1))
        sides.append(prometheus_side("Prometheus, one value a pool, 2,000 a request", pid, port, 1, 40))
        sides.append(prometheus_side("Prometheus, six values a pool, a request a host", pid, port, 6, 1))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        for turn in range(rounds + 1):
            for side in sides:
                measure(side, turn)
        for side in sides:
            del side.cpu_s[0], side.other_s[0], side.p99_ms[0]
        return sides


def report(sides: Sequence[Side]) -> str:
    """The table, and how many times less than Prometheus."""
    ours, per_host, six = sides[0], sides[-3], sides[-1]
    lines = ["| | CPU s per million readings | its database | p99 ms |", "|:--|--:|--:|--:|"]
    lines += [f"| {' | '.join(side.row())} |" for side in sides]
    one, many = (statistics.median(s.cpu_s) / statistics.median(ours.cpu_s) for s in (per_host, six))
    lines += [
        "",
        f"portgauge on SQLite needs {one:.1f} × less CPU than Prometheus with one value, {many:.1f} × with six.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = report(compare(arguments.rounds))
    print(text)
    if arguments.write:
        write_section("ingest", f"{measured_by('benchmarks.ingest')}\n\n{text}")


if __name__ == "__main__":
    main()
