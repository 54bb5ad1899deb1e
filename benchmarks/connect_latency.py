"""How long connect() takes to find a port, by how full the pool is.

    python -m benchmarks.connect_latency [--write]

fills one pool of a namespace of its own, port by port, and stops here and there to replace connections at random. The
sockets connect in TCP_REPAIR mode: no packet leaves, nobody answers, so what is timed is the search for a port and the
system call around it. Half of the sockets are parked in a second process: one may often hold no more than 20,000 files.
All of it is done three times and the quickest counts: a neighbour on the same core only ever makes it slower. Needs
CAP_NET_ADMIN, kernel 6.3, and as many open files as half the range; takes a minute or so.
"""

import argparse
import json
import math
import random
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple

from agent.sysctl import read_port_settings
from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import IP_LOCAL_PORT_RANGE, PEER_IP, REPOSITORY, TCP_REPAIR
from shared.ports import PortRange
from tests.netns import Netns, become_root_of_own_namespaces, fresh_netns

RANGE = PortRange(32_768, 60_999)
"""The kernel's default."""
STOPS = (0.25, 0.45, 0.49, 0.51, 0.60, 0.75, 0.90, 0.99, 0.995)
"""Shares of the pool held at which the filling stops."""
FULL = 1.0
PEER, ANOTHER = (PEER_IP, 9_001), (PEER_IP, 9_002)
FILLED, CHURNED, OTHERS, FAILED = 300, 300, 100, 50
"""Connections timed: the last before a stop, those replaced at it, those towards another peer; failures when full."""
ROUNDS = 3
SPARE_FILES = 100
PATIENCE_S = 600
"""How long one round may take on a busy machine; some 14 s on an idle one."""
FDS_A_MESSAGE = 200
"""Files handed over at a time; the kernel takes 253 (SCM_MAX_FD)."""


class Row(NamedTuple):
    """What one stop told, in µs. None: not measured."""

    held: float
    """Share of the pool, 0.0 to 1.0."""
    fill: float
    """Median of the connections just before."""
    churn: float | None
    churn_mean: float | None
    """Of connections made after another, drawn at random, was closed."""
    own_range: float
    """Median of the same where every socket has IP_LOCAL_PORT_RANGE; of the failures when full."""
    another: float
    """Median of connections towards another peer meanwhile."""


@dataclass(slots=True)
class Filling:
    """One pool on its way from empty to full, all by sockets of one manner."""

    parked: socket.socket
    """Where sockets go that stay open in another process."""
    own_range: PortRange | None = None
    """Every socket's IP_LOCAL_PORT_RANGE."""
    kept: list[socket.socket] = field(default_factory=list)
    held: int = 0
    _leaving: list[socket.socket] = field(default_factory=list)

    def fill(self, until: int) -> list[float]:
        """Connect until so many ports are held; the time of each, in µs. Every other socket is parked."""
        taken = []
        while self.held < until:
            made, us = self._connected(PEER)
            taken.append(us)
            (self.kept if self.held % 2 else self._leaving).append(made)
            self.held += 1
            if len(self._leaving) == FDS_A_MESSAGE:
                self._park()
        return taken

    def churn(self, times: int) -> list[float]:
        """Close one at random and connect anew, again and again; the times of connecting, in µs."""
        taken = []
        for _ in range(times):
            number = random.randrange(len(self.kept))
            self.kept[number].close()
            self.kept[number], us = self._connected(PEER)
            taken.append(us)
        return taken

    def towards_another(self, times: int) -> list[float]:
        """Connect to another peer; the time of each, in µs."""
        taken = []
        for _ in range(times):
            made, us = self._connected(ANOTHER)
            made.close()
            taken.append(us)
        return taken

    def fail(self, times: int) -> list[float]:
        """Connect though the pool is full; the time of each refusal, in µs."""
        taken = []
        for _ in range(times):
            with self._unconnected() as refused:
                started_ns = time.perf_counter_ns()
                if not refused.connect_ex(PEER):
                    raise RuntimeError("a port was left in a pool that was filled")
                taken.append((time.perf_counter_ns() - started_ns) / 1e3)
        return taken

    def close(self) -> None:
        """Give every port back that is ours."""
        for one in self.kept + self._leaving:
            one.close()

    def _connected(self, peer: tuple[str, int]) -> tuple[socket.socket, float]:
        made = self._unconnected()
        started_ns = time.perf_counter_ns()
        made.connect(peer)
        return made, (time.perf_counter_ns() - started_ns) / 1e3

    def _unconnected(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        if self.own_range:
            bounds = struct.pack("=I", self.own_range.low | self.own_range.high << 16)
            made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, bounds)
        return made

    def _park(self) -> None:
        socket.send_fds(self.parked, [b"."], [one.fileno() for one in self._leaving])
        self.parked.recv(1)  # Until the other end has them: files on their way count against a limit of their own.
        for one in self._leaving:
            one.close()
        self._leaving.clear()


class Stop(NamedTuple):
    """What one filling tells at one stop: times in µs."""

    fill: list[float]
    churn: list[float]
    another: list[float]


def stops_of(filling: Filling, ports: int, stops: Iterable[float]) -> Iterator[Stop]:
    """Fill to each stop in turn and measure there; at last until nothing is left."""
    for stop in stops:
        fill = filling.fill(math.floor(stop * ports))[-FILLED:]
        yield Stop(fill, filling.churn(CHURNED), filling.towards_another(OTHERS))
    filling.fill(ports)
    yield Stop(filling.fail(FAILED), [], filling.towards_another(OTHERS))


def rows(stops: Sequence[float]) -> list[Row]:
    """Measure in the network namespace of this process: once plainly, once with IP_LOCAL_PORT_RANGE."""
    port_range = read_port_settings().port_range
    measured: list[list[Stop]] = []
    for own_range in (None, port_range):
        with another_process() as parked:
            filling = Filling(parked, own_range)
            measured.append(list(stops_of(filling, len(port_range), stops)))
            filling.close()
    return [row(held, *two) for held, *two in zip([*stops, FULL], *measured, strict=True)]


def row(held: float, plain: Stop, ranged: Stop) -> Row:
    """Medians and a mean of what both fillings told at one stop."""
    return Row(
        held,
        fill=median(plain.fill),
        churn=median(plain.churn) if plain.churn else None,
        churn_mean=fmean(plain.churn) if plain.churn else None,
        own_range=median(ranged.churn or ranged.fill),
        another=median(plain.another),
    )


@contextmanager
def another_process() -> Iterator[socket.socket]:
    """A process that keeps every file sent to it, until the block ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-m", "benchmarks.connect_latency", "--park", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=REPOSITORY, pass_fds=[theirs.fileno()])
        theirs.close()
        try:
            yield ours
        finally:
            ours.close()
            process.wait()


def park(fd: int) -> None:
    """Keep what comes, say so, and end with the other side."""
    with socket.socket(fileno=fd) as source:
        kept: list[int] = []
        while True:
            said, files, _flags, _address = socket.recv_fds(source, 1, FDS_A_MESSAGE)
            if not said:
                return
            kept += files
            source.send(said)


def allow_files(files: int) -> None:
    """Raise the soft limit; exit where the hard one is too low."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < files:
        sys.exit(f"this needs {files:,} open files, and the hard limit is {hard:,} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def measure(netns: Netns, port_range: PortRange = RANGE, stops: Sequence[float] = STOPS) -> list[Row]:
    """Measure ROUNDS times, in processes of their own inside the namespace, which gets that range."""
    netns.set_sysctl("ipv4/ip_local_port_range", f"{port_range.low} {port_range.high}")
    command = [sys.executable, "-m", "benchmarks.connect_latency", "--here", *map(str, stops)]
    rounds = [json.loads(netns.check_output(command, cwd=REPOSITORY, timeout=PATIENCE_S)) for _ in range(ROUNDS)]
    return [quickest([Row(*one) for one in same]) for same in zip(*rounds, strict=True)]


def quickest(same: Sequence[Row]) -> Row:
    """The least that any round told, column by column."""
    return Row._make(None if None in column else min(column) for column in zip(*same, strict=True))


def table(measured: Sequence[Row]) -> str:
    """The rows as markdown, in µs."""
    head = [
        "ports held",
        "filling",
        "replacing at random",
        "its mean",
        "with IP_LOCAL_PORT_RANGE",
        "another destination",
    ]
    lines = [head, ["--:"] * len(head)]
    for one in measured:
        held = f"{one.held * 100:g} %" if one.held < FULL else "all (fails)"
        lines.append([held, *map(us_text, one[1:])])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def us_text(us: float | None) -> str:
    """`5.4`, `705`, `1,307`; nothing where nothing was measured."""
    if us is None:
        return ""
    return f"{us:.1f}" if us < 10 else f"{us:,.0f}"


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--here", type=float, nargs="+", metavar="SHARE", help=argparse.SUPPRESS)
    parser.add_argument("--park", type=int, metavar="FD", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.park is not None or arguments.here:
        allow_files(len(read_port_settings().port_range) // 2 + FDS_A_MESSAGE + SPARE_FILES)
    if arguments.park is not None:
        park(arguments.park)
    elif arguments.here:
        print(json.dumps(rows(arguments.here)))
    else:
        become_root_of_own_namespaces()
        with fresh_netns() as netns:
            text = f"{measured_by('benchmarks.connect_latency')} In µs.\n\n{table(measure(netns))}"
        print(text)
        if arguments.write:
            write_section("connect latency", text)


if __name__ == "__main__":
    main()
