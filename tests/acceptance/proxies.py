"""Real proxies, each in a network namespace with 100 ports and three quarters of a pool in use, and what is said of it.

Clients come from outside, so that the only ephemeral ports in the proxy's namespace are those towards its backends.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.acceptance import parts
from tests.acceptance.incident import wait_until
from tests.acceptance.parts import BACKEND_PORTS, BALANCER, FRONT_DOOR, LOCAL_IP, OUTSIDE, PATIENCE_S, Clients
from tests.acceptance.upstream import SLOW
from tests.netns import Netns, fresh_netns

LOW, HIGH = 40_000, 40_099
SIDECAR_IP = "127.0.0.6"
WEB_PORT = 9_080
TIME_WAIT = "06"
"""TCP_TIME_WAIT as /proc/net/tcp writes it."""

# What matters is in `upstream`; the rest keeps nginx in the foreground and within its own directory. As root of a user
# namespace it cannot become another user.
NGINX_CONFIG = """
daemon off;
user root root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream web {{
        server {upstream};
        {keep_alive}
    }}
    server {{
        listen {front_door};
        location / {{
            proxy_pass http://web;
            {reuse}
        }}
    }}
}}
"""
KEEP_ALIVE = "keepalive 16;"
REUSE = 'proxy_http_version 1.1; proxy_set_header Connection "";'


@dataclass(frozen=True, slots=True)
class Told:
    """What the commands say of one namespace, beside what /proc/net/tcp lists."""

    pid: int
    """Of the process that connects."""
    tuples: list[tuple[str, int, str, int, str]]
    """(local ip, local port, peer ip, peer port, state) of each socket that holds a port of the range."""
    pools: list[dict[str, Any]]
    check: dict[str, Any]
    explain: dict[str, Any]
    advise: list[dict[str, Any]]
    """Pools that hold half of their ports or more, with options."""

    def in_kernel(self, local: str, peer: tuple[str, int] | None = None, state: str = "") -> int:
        """Ports of the range that sockets from `local` hold [towards `peer`] [in `state`], by /proc."""
        return len(
            {
                port
                for ip, port, peer_ip, peer_port, its in self.tuples
                if ip == local and peer in (None, (peer_ip, peer_port)) and state in ("", its)
            }
        )


@contextmanager
def place() -> Iterator[tuple[Netns, Netns, Path]]:
    """The proxy's namespace, the world outside, and a directory."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portgauge-proxies-")))
        inside, outside = stack.enter_context(fresh_netns()), stack.enter_context(fresh_netns())
        inside.set_sysctl("ipv4/ip_local_port_range", f"{LOW} {HIGH}")
        inside.join(outside, f"{BALANCER}/24", f"{OUTSIDE}/24")
        yield inside, outside, directory


def told(netns: Netns, pid: int, *question: str) -> Told:
    """Ask every command, and the kernel before and after: nothing may have moved meanwhile."""
    before = netns.run(held)
    answers = [
        said(netns, "pools", "--netns", "own")["pools"],
        said(netns, "check", "--netns", "own"),
        said(netns, "explain", *question),
        said(netns, "advise", "--netns", "own")["pools"],
    ]
    assert netns.run(held) == before
    return Told(pid, before, *answers)


def said(netns: Netns, *command: str) -> Any:
    """One command's JSON, whatever its exit status says."""
    done = netns.run(
        lambda: subprocess.run(
            parts.module("agent", *command, "--json"),
            cwd=parts.REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    )
    return json.loads(done.stdout)


def held() -> list[tuple[str, int, str, int, str]]:
    """Every connected socket of the thread's namespace on a port of the range, by /proc."""
    return sorted(
        (*local, *peer, state) for local, peer, state in parts.tcp_table() if LOW <= local[1] <= HIGH and peer[1]
    )


def haproxy(*, source: str = "") -> Told:
    """HAProxy with 75 connections held to each of its backends."""
    with place() as (inside, outside, directory), ExitStack() as stack:
        stack.enter_context(parts.backends(inside))
        clients = stack.enter_context(closing(Clients(outside)))
        log = stack.enter_context((directory / "haproxy.log").open("w+"))
        _log, pid = stack.enter_context(parts.haproxy(inside, directory, log, clients, source=source))
        clients.add(75 * len(BACKEND_PORTS))
        return told(inside, pid, "--local", LOCAL_IP, "--peer", f"{LOCAL_IP}:{BACKEND_PORTS[0]}")


def nginx(requests: int, slow: int, *, keep_alive: bool) -> Told:
    """One nginx, after so many answered requests, with so many others that its upstream has not answered yet."""
    upstream = f"{OUTSIDE}:{WEB_PORT}"
    with place() as (inside, outside, directory), ExitStack() as stack:
        command = parts.module("tests.acceptance.upstream", OUTSIDE, str(WEB_PORT))
        parts.first_line(stack.enter_context(parts.running(outside, command, stdout=subprocess.PIPE)))
        master = stack.enter_context(_nginx(inside, directory, upstream, keep_alive=keep_alive))
        for number in range(requests + slow):
            connection = stack.enter_context(closing(outside.run(_ask, SLOW if number >= requests else "/")))
            if number < requests:
                assert connection.getresponse().read() == b"ok\n"
        expected = slow + (1 if keep_alive else requests)
        wait_until(lambda: len(inside.run(held)) >= expected, "nginx closes what was answered")
        return told(inside, worker_of(master.pid), "--local", BALANCER, "--peer", upstream)


def _ask(path: str) -> HTTPConnection:
    connection = HTTPConnection(*FRONT_DOOR, timeout=PATIENCE_S)
    connection.request("GET", path)
    return connection


@contextmanager
def _nginx(netns: Netns, directory: Path, upstream: str, *, keep_alive: bool) -> Iterator[subprocess.Popen[str]]:
    config = directory / "nginx.conf"
    config.write_text(
        NGINX_CONFIG.format(
            directory=directory,
            front_door=f"{FRONT_DOOR[0]}:{FRONT_DOOR[1]}",
            upstream=upstream,
            keep_alive=KEEP_ALIVE if keep_alive else "",
            reuse=REUSE if keep_alive else "",
        )
    )
    with parts.running(netns, ["nginx", "-c", str(config), "-e", str(directory / "error.log")]) as master:
        parts.wait_until_open(netns, FRONT_DOOR, master)
        yield master


def worker_of(master: int) -> int:
    """The pid of nginx's only worker, once it has begun."""
    children = Path(f"/proc/{master}/task/{master}/children")
    wait_until(lambda: bool(children.read_text()), "nginx starts its worker")
    return int(children.read_text().split()[0])


def sidecar() -> Told:
    """A sidecar with 75 connections, spread over all backends, each bound to its source address first."""
    with place() as (inside, _outside, _directory), ExitStack() as stack:
        stack.enter_context(parts.backends(inside))
        command = parts.module("tests.acceptance.sidecar", SIDECAR_IP, "75", *map(str, BACKEND_PORTS))
        process = stack.enter_context(parts.running(inside, command, stdout=subprocess.PIPE))
        parts.first_line(process)
        question = ["--local", SIDECAR_IP, "--peer", f"{LOCAL_IP}:{BACKEND_PORTS[0]}", "--bind-first"]
        return told(inside, process.pid, *question)
