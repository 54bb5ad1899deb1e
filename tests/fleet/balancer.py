"""One load balancer of the fleet: its namespace and ports, its own HAProxy, a backend of its own, and an agent."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.parts import module, running, wait_until_open
from tests.fleet import wires
from tests.fleet.wires import BACKEND_PORT, BACKENDS, HIGH, LOW, Switch
from tests.netns import Netns, fresh_netns

ROLE = "edge"
OWN_BACKEND = "127.0.0.1"
FRONT_PORT = 8080
MOST_TO_A_SERVER = 95
"""Of the hundred ports towards each backend: what comes on top of it waits in HAProxy's queue, and is not refused."""

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
    timeout queue 1h
frontend clients
    bind {address}:{port}
    default_backend shop
backend shop
    balance roundrobin
{servers}
"""


@dataclass(frozen=True, slots=True)
class Balancer:
    """It runs, but for its agent. `backend` listens for whoever serves the backends."""

    name: str
    address: str
    netns: Netns
    port: str
    """The switch's."""
    directory: Path
    backend: socket.socket

    @property
    def agent_log(self) -> Path:
        """What its agent says."""
        return self.directory / "agent.log"

    def leak(self, count: int) -> "subprocess.Popen[str]":
        """An application that opens connections to this machine's own backend, and never closes one."""
        steps = json.dumps([["towards", OWN_BACKEND, BACKEND_PORT, count]])
        process = self.netns.popen(
            module("tests.spender", steps), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        process.stdout.readline()
        return process


@contextmanager
def balancer(number: int, switch: Switch, directory: Path) -> Iterator[Balancer]:
    """The load balancer of this number, from 1, with HAProxy running. Raises DidNotStart."""
    directory.mkdir()
    address = wires.address_of(number)
    with ExitStack() as stack:
        netns = stack.enter_context(fresh_netns())
        netns.set_sysctl("ipv4/ip_local_port_range", f"{LOW} {HIGH}")
        port = switch.plug_in(netns, address)
        backend = stack.enter_context(wires.listener(netns, OWN_BACKEND, BACKEND_PORT))
        made = Balancer(f"lb{number}", address, netns, port, directory, backend)
        stack.enter_context(_haproxy(made))
        yield made


@contextmanager
def _haproxy(on: Balancer) -> Iterator[None]:
    servers = "\n".join(
        f"    server s{number} {address}:{BACKEND_PORT} maxconn {MOST_TO_A_SERVER}"
        for number, address in enumerate((*BACKENDS, OWN_BACKEND), start=1)
    )
    config = on.directory / "haproxy.cfg"
    config.write_text(HAPROXY_CONFIG.format(address=on.address, port=FRONT_PORT, servers=servers))
    command = ["haproxy", "-db", "-f", str(config)]
    with (
        (on.directory / "haproxy.log").open("w") as log,
        running(on.netns, command, stdout=log, stderr=log) as process,
    ):
        wait_until_open(on.netns, (on.address, FRONT_PORT), process)
        yield


@contextmanager
def agent(on: Balancer, collector: str, join_token: Path, labels: int) -> Iterator[None]:
    """Its agent, which enrols by itself; with so many labels of its own."""
    keys = {
        "collector": collector,
        "token_file": str(on.directory / "token"),
        "join_token_file": str(join_token),
        "spool_dir": str(on.directory / "spool"),
        "host": on.name,
        "role": ROLE,
        "netns": ["own"],
        "log_level": "debug",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    own = [f'own{number} = "x"' for number in range(labels)]
    config = on.directory / "agent.toml"
    config.write_text("\n".join([*lines, "[labels]", *own, ""]))
    with on.agent_log.open("w") as log:
        command = [str(Path(sys.executable).with_name("portgauge-agent")), "run", "--config", str(config)]
        with running(on.netns, command, stdout=log, stderr=log):
            yield
