"""The published incident, replayed: a load balancer runs out of ephemeral ports, and portgauge says so before.

    python -m tests.acceptance.incident

HAProxy in front of four backends, in a network namespace with 300 ports; clients come in steps, from another namespace,
and leave. A collector and an agent watch. What is printed is what each part saw, nothing is foretold: the kernel's
count is read from /proc, portgauge's from its own commands, API and notices, HAProxy's from its log. As root, or as an
ordinary user in namespaces of their own; leaves nothing behind.
"""

import functools
import itertools
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shared.ports import format_ports
from tests.acceptance import parts
from tests.acceptance.parts import BACKEND_PORTS, HOST, PATIENCE_S, Clients, Collector, Log, Notice, Pager
from tests.netns import Netns, become_root_of_own_namespaces, fresh_netns, why_none

LOW, HIGH = 40_000, 40_299
STEPS = (600, 850, 1_030, 1_200, 1_210, 0)
FILES = 4_000
INTERRUPTED = 130


class TookTooLong(RuntimeError):
    """Something that should follow from a step did not, in PATIENCE_S."""


@dataclass(frozen=True, slots=True)
class Check:
    """What `portgauge-agent check` said."""

    status: int
    line: str


@dataclass(frozen=True, slots=True)
class Step:
    """What every part saw when the clients had settled at one number."""

    wanted: int
    held_clients: int
    refused: int
    """Clients turned away in this step."""
    in_kernel: Counter[int]
    """Ports in use towards each backend, by /proc."""
    out_of_ports: bool
    """A plain connect() to every backend fails with EADDRNOTAVAIL."""
    by_agent: dict[int, dict[str, Any]]
    """The pool of each backend as `portgauge-agent pools --json` tells."""
    by_collector: dict[int, dict[str, Any]]
    """The same as GET /v1/pools tells."""
    check: Check
    notices: Sequence[Notice]
    failures: Sequence[tuple[int, str]]
    """(clients held, line) for each `no free ports` that HAProxy logged."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    balancer: Netns
    clients: Clients
    log: Log
    pager: Pager
    collector: Collector
    agent: subprocess.Popen[str]

    def play(self, steps: Sequence[int] = STEPS) -> Iterator[Step]:
        """Bring the clients to each number in turn, wait until all has been told, and look."""
        for wanted in steps:
            refused, notices, failures = self.clients.refused, len(self.pager.notices), len(self.log.failures)
            if wanted == 0:
                self.clients.leave()
            else:
                self.clients.add(wanted - self.clients.held)
            self._settle()
            in_kernel = self._in_kernel()
            yield Step(
                wanted=wanted,
                held_clients=self.clients.held,
                refused=self.clients.refused - refused,
                in_kernel=in_kernel,
                out_of_ports=self._is_out_of_ports(in_kernel),
                by_agent=by_backend(self._pools()),
                by_collector=self._by_collector(),
                check=self._check(),
                notices=self.pager.notices[notices:],
                failures=self.log.failures[failures:],
            )

    def _settle(self) -> None:
        """Wait until the collector knows what the kernel knows, and whoever is to be told has been told."""
        wait_until(lambda: self._in_kernel().total() == self.clients.held, "the backends see the clients come and go")
        wait_until(lambda: held(self._by_collector()) == self._in_kernel(), "the agent's report reaches the collector")
        wait_until(self._all_told, "the collector's notices reach the pager")
        wait_until(lambda: len(self.log.failures) >= self.clients.refused, "HAProxy logs whom it turned away")

    def _all_told(self) -> bool:
        """What the pager was told last is what the rules say of what the kernel holds, neither more nor less.

        Asked of the rules, not of the collector: it may not have judged the last report yet.
        """
        told = {
            (notice.document["severity"], notice.document["peer_port"]): notice.document["state"]
            for notice in self.pager.notices
        }
        firing = {key for key, state in told.items() if state == "firing"}
        return firing == {
            (severity, port)
            for port, count in self._in_kernel().items()
            for severity, raise_at in parts.RAISE_AT.items()
            if count >= raise_at * (HIGH - LOW + 1)
        }

    def _in_kernel(self) -> Counter[int]:
        return self.balancer.run(parts.held_by_kernel, LOW, HIGH)

    def _is_out_of_ports(self, in_kernel: Counter[int]) -> bool:
        """Ask the kernel only where /proc shows every port taken: a probe that succeeds would disturb the count."""
        full = all(in_kernel[port] == HIGH - LOW + 1 for port in BACKEND_PORTS)
        return full and all(self.balancer.run(parts.refuses_to_connect, port) for port in BACKEND_PORTS)

    def _by_collector(self) -> dict[int, dict[str, Any]]:
        return by_backend(self.collector.items(f"/v1/pools?host={HOST}"))

    def _pools(self) -> list[dict[str, Any]]:
        command = parts.module("agent", "pools", "--netns", "own", "--json")
        pools: list[dict[str, Any]] = json.loads(self.balancer.check_output(command, cwd=parts.REPOSITORY))["pools"]
        return pools

    def _check(self) -> Check:
        done = self.balancer.run(
            lambda: subprocess.run(
                parts.module("agent", "check", "--netns", "own"),
                cwd=parts.REPOSITORY,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        )
        return Check(done.returncode, done.stdout.partition("\n")[0].partition(" | ")[0])


@contextmanager
def incident() -> Iterator[Scene]:
    """Set the scene. Raises NotInstalled, DidNotStart, or OSError where there are no namespaces."""
    parts.require_programs("haproxy", "ip")
    allow_files()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portgauge-incident-")))
        balancer, outside = stack.enter_context(fresh_netns()), stack.enter_context(fresh_netns())
        balancer.set_sysctl("ipv4/ip_local_port_range", f"{LOW} {HIGH}")
        balancer.join(outside, f"{parts.BALANCER}/24", f"{parts.OUTSIDE}/24")
        log = stack.enter_context((directory / "portgauge.log").open("w+"))
        stack.push(functools.partial(_show_on_fault, log))
        stack.enter_context(parts.backends(balancer))
        clients = stack.enter_context(closing(Clients(outside)))
        haproxy_log, _pid = stack.enter_context(parts.haproxy(balancer, directory, log, clients))
        pager = stack.enter_context(parts.pager(outside, clients))
        collector = stack.enter_context(parts.collector(outside, directory, log))
        agent = stack.enter_context(parts.agent(balancer, directory, collector, log))
        yield Scene(balancer, clients, haproxy_log, pager, collector, agent)


def _show_on_fault(log: IO[str], kind: type[BaseException] | None, *_: object) -> None:
    """What agent and collector logged goes with the directory; where the story broke, somebody needs it."""
    if kind is not None and issubclass(kind, Exception):
        log.seek(0)
        sys.stderr.write(log.read())


def allow_files() -> None:
    """Every client is an open file of this process; the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        raise parts.DidNotStart(f"this needs {FILES} open files, and the hard limit is {hard} (ulimit -Hn)")
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds. Raises TookTooLong."""
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until_s:
            raise TookTooLong(f"waited {PATIENCE_S:g} s in vain for this: {what}")
        time.sleep(0.05)


def by_backend(pools: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The pools towards the backends, by the backend's port."""
    return {
        pool["peer_port"]: pool
        for pool in pools
        if pool["local_ip"] == pool["peer_ip"] == parts.LOCAL_IP and pool["peer_port"] in BACKEND_PORTS
    }


def held(pools: Mapping[int, dict[str, Any]]) -> Counter[int]:
    """Ports held, by backend."""
    return Counter({port: pool["held"] for port, pool in pools.items()})


def row(step: Step) -> list[str]:
    """One step as lines of the table."""
    capacity = max((pool["capacity"] for pool in step.by_agent.values()), default=HIGH - LOW + 1)
    pools = f"{_span([step.in_kernel[port] for port in BACKEND_PORTS])} / {capacity}"
    failures = Counter(line[line.find("Connect") :] for _, line in step.failures)
    haproxy = [f"{count} × {line}" for line, count in failures.items()] or ["ok"]
    beside = list(itertools.zip_longest(_by_portgauge(step), haproxy, fillvalue=""))
    heads = [(str(step.wanted), pools)] + [("", "")] * (len(beside) - 1)
    return [_columns(*head, *pair) for head, pair in zip(heads, beside, strict=True)]


def _columns(clients: str, pools: str, portgauge: str, haproxy: str) -> str:
    return f"{clients:>9}   {pools:<15} {portgauge:<56} {haproxy}"


def _by_portgauge(step: Step) -> list[str]:
    """What it told since the last step; where that is nothing, how it judges now."""
    told: dict[str, list[dict[str, Any]]] = {}
    for notice in step.notices:
        severity = notice.document["severity"]
        told.setdefault(severity if notice.document["state"] == "firing" else "resolved", []).append(notice.document)
    left = [pool["headroom_min"] for pool in step.by_agent.values()]
    lines = [_told(word, documents) for word, documents in told.items()]
    if step.out_of_ports:
        lines.append(f"exhausted: {_span(left)} left, every further connect() fails")
    return lines or [f"{step.check.line.split()[0].lower():<8}  {_span(left)} left"]


def _told(word: str, documents: Sequence[dict[str, Any]]) -> str:
    local, peer = documents[0]["local_ip"], documents[0]["peer_ip"]
    ports = format_ports(one["peer_port"] for one in documents)
    left = "" if word == "resolved" else f", {_span([one['headroom_min'] for one in documents])} left"
    return f"{word.upper() if word == 'page' else word:<8}  {local} → {peer}:{ports}{left}"


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers, default=0), max(numbers, default=0)
    return str(low) if low == high else f"{low}–{high}"


def warned_ahead(steps: Sequence[Step]) -> int | None:
    """Clients between the first notice and the first failure in HAProxy's log; None where either is missing."""
    notices = [notice.clients for step in steps for notice in step.notices]
    failures = [clients for step in steps for clients, _ in step.failures]
    return failures[0] - notices[0] if notices and failures else None


def main() -> int:
    """Tell the story. 1 where portgauge did not warn before the first failure."""
    become_root_of_own_namespaces()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return tell()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (parts.NotInstalled, parts.DidNotStart, TookTooLong) as error:
        print(error, file=sys.stderr)
        return 1


def tell() -> int:
    """Play, and print each step when it has settled."""
    reason = why_none()
    if reason:
        print(reason, file=sys.stderr)
        return 1
    steps = []
    with incident() as scene:
        print(f"A load balancer in a namespace of its own: range {LOW}–{HIGH} ({HIGH - LOW + 1} ports), ", end="")
        print(f"HAProxy {parts.haproxy_version()} in front of {len(BACKEND_PORTS)} backends.")
        print(_columns("clients", "held per pool", "portgauge", "HAProxy"), flush=True)
        for step in scene.play():
            print("\n".join(row(step)), flush=True)
            steps.append(step)
    ahead = warned_ahead(steps)
    if ahead is None or ahead <= 0:
        print("No warning came before the first failure.")
        return 1
    print(f"Warned {ahead} connections before the first failure.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
