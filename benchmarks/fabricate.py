"""Sockets without peers: ESTABLISHED connections made by TCP_REPAIR, in the current network namespace.

    python -m benchmarks.fabricate --sockets 200000 --ports-per-pool 28000

prints `ready` when all stand, and holds them until its standard input closes. A socket in repair mode connects
without a packet, and IP_LOCAL_PORT_RANGE names its port without a search, so a million take seconds. One process may
hold 20,000 files, so it spreads them over children. Needs CAP_NET_ADMIN and lo up; kernel 6.3 or later.
"""

import argparse
import contextlib
import os
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence

TCP_REPAIR = 19
IP_LOCAL_PORT_RANGE = 51
SOCKETS_A_PROCESS = 18_000
FIRST_PORT = 32_768


def connect_in_repair(local_port: int, peer: tuple[str, int], family: int = socket.AF_INET) -> socket.socket:
    """One ESTABLISHED socket from `local_port` to `peer`, autobound as a plain connect() would be."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", local_port | local_port << 16))
    made.connect(peer)
    return made


def hold(first: int, count: int, ports_per_pool: int) -> list[socket.socket]:
    """Sockets number `first` to `first + count`: pool n is 127.0.0.1 -> 127.1.0.1:(1000 + n)."""
    held = []
    for number in range(first, first + count):
        pool, port = divmod(number, ports_per_pool)
        held.append(connect_in_repair(FIRST_PORT + port, ("127.1.0.1", 1_000 + pool)))
    return held


@contextlib.contextmanager
def fabricated(sockets: int, ports_per_pool: int = 28_000, prefix: Sequence[str] = ()) -> Iterator[None]:
    """Hold that many sockets, in child processes, for as long as the block is open. `prefix` may enter a namespace."""
    command = [*prefix, sys.executable, "-m", "benchmarks.fabricate", "--ports-per-pool", str(ports_per_pool)]
    with contextlib.ExitStack() as children:
        for first in range(0, sockets, SOCKETS_A_PROCESS):
            count = min(SOCKETS_A_PROCESS, sockets - first)
            child = children.enter_context(
                subprocess.Popen(
                    [*command, "--first", str(first), "--sockets", str(count)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                )
            )
            assert child.stdin is not None and child.stdout is not None
            children.callback(child.stdin.close)
            if child.stdout.readline() != b"ready\n":
                raise RuntimeError("could not fabricate sockets: is lo up, and do we hold CAP_NET_ADMIN?")
        yield


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
