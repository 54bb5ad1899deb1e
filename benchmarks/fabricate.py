"""Sockets without peers: ESTABLISHED connections made by TCP_REPAIR, in the current network namespace.

    python -m benchmarks.fabricate --sockets 200000 --ports-per-pool 28000

prints `ready` when all stand, and holds them until its standard input closes. A socket in repair mode connects
without a packet, and IP_LOCAL_PORT_RANGE names its port without a search, so a million take seconds. One process may
hold 20,000 files, so it spreads them over children. Needs CAP_NET_ADMIN and lo up; kernel 6.3 or later.
"""

import argparse
import contextlib
import math
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TCP_REPAIR = 19
IP_LOCAL_PORT_RANGE = 51
SOCKETS_A_PROCESS = 18_000
FIRST_PORT = 32_768
FIRST_PEER_PORT = 1_000
FIRST_WAITING_PORT = 2_000
LOCAL_IP, PEER_IP = "127.0.0.1", "127.1.0.1"
"""connect() towards any 127/8 address comes from 127.0.0.1; nobody listens on the peer's."""
REPOSITORY = Path(__file__).resolve().parent.parent


def connect_in_repair(local_port: int, peer: tuple[str, int], family: int = socket.AF_INET) -> socket.socket:
    """One ESTABLISHED socket from `local_port` to `peer`, autobound as a plain connect() would be."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    _choose(made, local_port)
    made.connect(peer)
    return made


def _choose(client: socket.socket, local_port: int) -> None:
    """Leave connect() that port alone; it stays autobound."""
    client.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", local_port | local_port << 16))


def hold(first: int, count: int, ports_per_pool: int) -> list[socket.socket]:
    """Sockets number `first` to `first + count`: pool n is LOCAL_IP -> PEER_IP:(FIRST_PEER_PORT + n)."""
    held = []
    for number in range(first, first + count):
        pool, port = divmod(number, ports_per_pool)
        held.append(connect_in_repair(FIRST_PORT + port, (PEER_IP, FIRST_PEER_PORT + pool)))
    return held


def leave_in_time_wait(count: int, ports_per_pool: int = 28_000) -> None:
    """So many TIME_WAITs in pools of their own: real connections that our side closed first, some 80 µs each.

    They last 60 s, and net.ipv4.tcp_max_tw_buckets bounds them.
    """
    pools = range(FIRST_WAITING_PORT, FIRST_WAITING_PORT + math.ceil(count / ports_per_pool))
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server((PEER_IP, port))) for port in pools]
        for number in range(count):
            pool, port = divmod(number, ports_per_pool)
            with socket.socket() as client:
                _choose(client, FIRST_PORT + port)
                client.connect(servers[pool].getsockname())
                accepted, _ = servers[pool].accept()
            accepted.close()


@contextlib.contextmanager
def fabricated(sockets: int, ports_per_pool: int = 28_000) -> Iterator[None]:
    """Hold that many sockets, in child processes, for as long as the block is open."""
    with contextlib.ExitStack() as children:
        started = []
        for first in range(0, sockets, SOCKETS_A_PROCESS):
            child = children.enter_context(_child(first, min(SOCKETS_A_PROCESS, sockets - first), ports_per_pool))
            started.append(child)
        children.callback(lambda: [child.communicate() for child in started])
        if any(child.stdout is None or child.stdout.readline() != "ready\n" for child in started):
            raise RuntimeError("could not fabricate sockets: is lo up, and do we hold CAP_NET_ADMIN?")
        yield


def _child(first: int, count: int, ports_per_pool: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.fabricate", "--ports-per-pool", str(ports_per_pool)]
    return subprocess.Popen(
        [*command, "--first", str(first), "--sockets", str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        start_new_session=True,  # Ctrl-C is for the parent; a child ends when its standard input closes.
    )


def main() -> None:
    """Hold sockets until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--ports-per-pool", type=int, default=28_000)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.sockets > SOCKETS_A_PROCESS:
        with fabricated(arguments.sockets, arguments.ports_per_pool):
            _wait()
    else:
        held = hold(arguments.first, arguments.sockets, arguments.ports_per_pool)
        _wait()
        for one in held:
            one.close()


def _wait() -> None:
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
