"""The parts of the incident: HAProxy, backends, clients, collector, agent, and who receives the notices.

All are real programs in two network namespaces: the load balancer's, with its narrow range of ports, and the world
outside, where clients, collector and webhook live.
"""

import errno
import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, NamedTuple

from tests.acceptance.backend import GOODBYE, GREETING
from tests.netns import Netns, end
from tests.secret import a_secret

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LOCAL_IP = "127.0.0.1"
BACKEND_PORTS = (9001, 9002, 9003, 9004)
BALANCER, OUTSIDE = "10.77.0.1", "10.77.0.2"
FRONT_DOOR = (BALANCER, 8080)
COLLECTOR = (OUTSIDE, 8766)
WEBHOOK = (LOCAL_IP, 8900)
HOST, ROLE = "lb1", "edge"
INTERVAL_S = 0.5
PATIENCE_S = 60.0
"""How long any one thing may take on a busy machine; all of it takes a quarter of a minute on an idle one."""
NO_FREE_PORTS = "no free ports"
LISTEN = "0A"
"""TCP_LISTEN as /proc/net/tcp writes it."""

# No health checks: each would take a port of the pool that it checks, and the count would breathe. One thread, so that
# least-connections spreads the clients evenly to the last one. No retries, so that one line in the log is one client
# refused. The session log stays off: HAProxy's errors are what we listen for.
HAPROXY_CONFIG = """
global
    maxconn 4000
    nbthread 1
defaults
    mode tcp
    retries 0
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend clients
    bind {front_door}
    default_backend sockets
backend sockets
    balance leastconn
    log stdout format raw local0
{source}
{servers}
"""

# Two of the built-in rules with their levels; only the hold time is cut, since this day at the load balancer lasts
# seconds.
RAISE_AT = {"plan": 0.50, "page": 0.85}
COLLECTOR_CONFIG = """
[[rule]]
name = "pool-half-full"
severity = "plan"
raise_at = 0.50
clear_at = 0.45
hold_s = 1.0

[[rule]]
name = "pool-nearly-full"
severity = "page"
raise_at = 0.85
clear_at = 0.75

[[channel]]
name = "webhook"
url = "http://{webhook}/"
"""


class NotInstalled(RuntimeError):
    """A program of the system that the incident needs is missing."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed: run `make deps` (it needs root or sudo), then try again")


class DidNotStart(RuntimeError):
    """A part ended, or said nothing, where it should have said that it is ready."""


def require_programs(*programs: str) -> None:
    """Raise NotInstalled for the first that is missing."""
    for program in programs:
        if not shutil.which(program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"):
            raise NotInstalled(program)


def haproxy_version() -> str:
    """As HAProxy tells, `2.6.12`."""
    said = subprocess.check_output(["haproxy", "-v"], text=True)
    return said.split()[2].partition("-")[0]


@contextmanager
def running(netns: Netns, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program inside for as long as the block is open. Ctrl-C does not reach it: we end it, in our order."""
    process = netns.popen(command, cwd=REPOSITORY, text=True, start_new_session=True, **options)
    try:
        yield process
    finally:
        end([process])


def first_line(process: subprocess.Popen[str]) -> str:
    """What a program says once it is ready."""
    said = process.stdout.readline() if process.stdout else ""
    if not said:
        raise DidNotStart(f"{process.args!r} ended with status {process.wait(PATIENCE_S)} before it was ready")
    return said


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs one of our own programs, with the interpreter that runs this one."""
    return [sys.executable, "-m", name, *arguments]


@contextmanager
def backends(netns: Netns) -> Iterator[None]:
    """Four servers, a process each."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(netns, module("tests.acceptance.backend", str(port)), stdout=subprocess.PIPE))
            for port in BACKEND_PORTS
        ]
        for server in servers:
            first_line(server)
        yield


class Log:
    """What a program wrote so far, line by line, with the number of clients held when each line came."""

    def __init__(self, source: IO[str], clients: "Clients") -> None:
        self.lines: list[tuple[int, str]] = []
        self._thread = threading.Thread(target=self._read, args=(source, clients))
        self._thread.start()

    def _read(self, source: IO[str], clients: "Clients") -> None:
        for line in source:
            self.lines.append((clients.held, line.rstrip()))

    def join(self) -> None:
        """Wait for the end of the program's output."""
        self._thread.join()

    @property
    def failures(self) -> list[tuple[int, str]]:
        """The lines about a connection that found no free port."""
        return [(held, line) for held, line in self.lines if NO_FREE_PORTS in line]


@contextmanager
def haproxy(
    netns: Netns, directory: Path, errors: IO[str], clients: "Clients", *, source: str = ""
) -> Iterator[tuple[Log, int]]:
    """HAProxy in front of the backends; gives its log and pid, `errors` takes what it says besides.

    `source` is the address that it connects from, where the configuration names one.
    """
    servers = "\n".join(f"    server s{port} {LOCAL_IP}:{port}" for port in BACKEND_PORTS)
    config = directory / "haproxy.cfg"
    from_there = f"    source {source}" if source else ""
    front_door = f"{FRONT_DOOR[0]}:{FRONT_DOOR[1]}"
    config.write_text(HAPROXY_CONFIG.format(front_door=front_door, source=from_there, servers=servers))
    command = ["haproxy", "-db", "-f", str(config)]
    with running(netns, command, stdout=subprocess.PIPE, stderr=errors) as process:
        wait_until_open(netns, FRONT_DOOR, process)
        assert process.stdout
        log = Log(process.stdout, clients)
        try:
            yield log, process.pid
        finally:
            process.terminate()
            log.join()


def wait_until_open(netns: Netns, address: tuple[str, int], process: subprocess.Popen[str]) -> None:
    """Return once somebody listens there, without connecting: that would take a port."""
    while not netns.run(listens, address):
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise DidNotStart(f"{process.args!r} ended with status {process.returncode}")


def listens(address: tuple[str, int]) -> bool:
    """Whether the thread's namespace has a listener there, as /proc tells."""
    return any(state == LISTEN and local == address for local, _, state in tcp_table())


def tcp_table() -> Iterator[tuple[tuple[str, int], tuple[str, int], str]]:
    """(local, peer, state) of every IPv4 socket of the thread's namespace: read from /proc, not by portgauge."""
    for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]:
        _, local, peer, state, *_ = line.split()
        yield _endpoint(local), _endpoint(peer), state


def _endpoint(hexadecimal: str) -> tuple[str, int]:
    address, port = hexadecimal.split(":")
    return socket.inet_ntoa(struct.pack("=I", int(address, 16))), int(port, 16)


def held_by_kernel(low: int, high: int) -> Counter[int]:
    """Distinct local ports of the range in use towards each backend, whatever the state, by the backend's port."""
    pairs = {
        (peer[1], local[1])
        for local, peer, state in tcp_table()
        if state != LISTEN and local[0] == peer[0] == LOCAL_IP and low <= local[1] <= high
    }
    return Counter(port for port, _ in pairs)


def refuses_to_connect(port: int) -> bool:
    """Whether a plain connect() to this backend finds no port now: the kernel's own word."""
    with socket.socket() as probe:
        # Closed with a reset, so that a probe that succeeds leaves nothing behind.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        try:
            probe.connect((LOCAL_IP, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return True
            raise
    return False


class Clients:
    """Clients outside that connect to the load balancer and stay. Each is held once a backend has greeted it."""

    def __init__(self, netns: Netns) -> None:
        self._netns = netns
        self._sockets: list[socket.socket] = []
        self.refused = 0

    @property
    def held(self) -> int:
        """How many are connected all the way to a backend."""
        return len(self._sockets)

    def add(self, count: int) -> None:
        """Connect so many more, one after the other."""
        for _ in range(count):
            client = self._netns.run(socket.create_connection, FRONT_DOOR, PATIENCE_S)
            if self._is_greeted(client):
                self._sockets.append(client)
            else:
                self.refused += 1
                client.close()

    def _is_greeted(self, client: socket.socket) -> bool:
        try:
            return client.recv(len(GREETING)) == GREETING
        except ConnectionError:
            return False

    def leave(self) -> None:
        """Say goodbye, and hang up once the server has."""
        for client in self._sockets:
            client.sendall(GOODBYE)
        for client in self._sockets:
            client.recv(1)
            client.close()
        self._sockets.clear()

    def close(self) -> None:
        """Hang up, whatever happened."""
        for client in self._sockets:
            client.close()


class Notice(NamedTuple):
    """A notice, and how many clients were held when it came."""

    clients: int
    document: dict[str, Any]


class Pager:
    """Who is called when an alert fires: a webhook that remembers."""

    def __init__(self, clients: Clients) -> None:
        self.notices: list[Notice] = []
        self._clients = clients

    def take(self, document: dict[str, Any]) -> None:
        """Remember one notice."""
        self.notices.append(Notice(self._clients.held, document))


@contextmanager
def pager(netns: Netns, clients: Clients) -> Iterator[Pager]:
    """A webhook in the namespace; its server runs in a thread of ours."""
    taken = Pager(clients)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with netns.run(ThreadingHTTPServer, WEBHOOK, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield taken
        finally:
            server.shutdown()
            thread.join()


class Collector:
    """A collector in a process of its own, asked over HTTP."""

    def __init__(self, netns: Netns, database: Path, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._netns, self._database = netns, database
        self._token = self.token("read")

    def token(self, scope: str, *more: str) -> str:
        """Make a token by the command."""
        command = module("collector", "token", "create", "--scope", scope, *more, "--database", str(self._database))
        return self._netns.check_output(command, cwd=REPOSITORY).strip()

    def items(self, path: str) -> list[dict[str, Any]]:
        """What an address of the API lists."""
        found: list[dict[str, Any]] = self._netns.run(self._get, path)["items"]
        return found

    def _get(self, path: str) -> Any:
        connection = HTTPConnection(*COLLECTOR, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body.decode()}")
        return json.loads(body)


@contextmanager
def collector(netns: Netns, directory: Path, log: IO[str]) -> Iterator[Collector]:
    """A migrated database and a collector on it."""
    database, config = directory / "history.db", directory / "collector.toml"
    config.write_text(COLLECTOR_CONFIG.format(webhook=f"{WEBHOOK[0]}:{WEBHOOK[1]}"))
    netns.check_output(module("collector", "migrate", "--database", str(database)), cwd=REPOSITORY)
    where = ["--listen", f"{COLLECTOR[0]}:{COLLECTOR[1]}", "--database", str(database), "--config", str(config)]
    with running(netns, module("collector", "serve", *where), stdout=subprocess.PIPE, stderr=log) as process:
        first_line(process)
        yield Collector(netns, database, process)


@contextmanager
def agent(netns: Netns, directory: Path, collector: Collector, log: IO[str]) -> Iterator[subprocess.Popen[str]]:
    """The agent of the load balancer."""
    token = a_secret(directory / "push.token", collector.token("push", "--host", HOST))
    where = ["--collector", f"http://{COLLECTOR[0]}:{COLLECTOR[1]}", "--token-file", str(token)]
    who = [
        "--host",
        HOST,
        "--role",
        ROLE,
        "--netns",
        "own",
        "--interval",
        str(INTERVAL_S),
        "--cpu-share",
        "0.5",
        "--spool",
        str(directory / "spool"),
    ]
    with running(netns, module("agent", "run", *where, *who), stderr=log) as process:
        yield process
