"""Fills one pool from zero to full at a steady rate, and tells when it reached which share: for tests that time others.

`python -m tests.filler --rate 3500 --ports 32768-60999 --levels 0.5,0.7,0.85,1.0` listens on 127.0.0.1:9001, prints
`ready`, begins when it reads a line, and prints one JSON object: at which Unix time (ms) each level was reached, and
how many connects a second there were. It keeps everything open until its standard input ends.

Real connections, each from the port it is told (IP_LOCAL_PORT_RANGE: autobound, and without the search that past the
knee would take 0.7 ms). Nobody accepts them: they wait in the listener's queue, which takes no file. Several processes
take turns, since one may not have that many files.
"""

import argparse
import json
import math
import mmap
import os
import resource
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.ports import PortRange, parse_port_range

IP_LOCAL_PORT_RANGE = 51
PEER = ("127.0.0.1", 9001)
SPARE_FILES = 100
AT_MS = struct.Struct("=d")
SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


class Notes:
    """Shared by the processes: when each of them reached each level."""

    def __init__(self, processes: int, levels: int) -> None:
        self._levels = levels
        self._memory = mmap.mmap(-1, AT_MS.size * processes * (levels + 1))

    def write(self, process: int, level: int) -> None:
        AT_MS.pack_into(self._memory, AT_MS.size * (process * (self._levels + 1) + level), time.time() * 1000)

    def read(self, process: int, level: int) -> float:
        at_ms: float = AT_MS.unpack_from(self._memory, AT_MS.size * (process * (self._levels + 1) + level))[0]
        return at_ms


def connect_from(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", port | port << 16))
    made.connect(PEER)
    return made


def fill(ports: Sequence[int], mine: range, due_s: Callable[[int], float], reached: Sequence[int], note: Notes) -> None:
    """This process's turns, each when it is due (monotonic)."""
    held = []
    levels = iter(enumerate(reached))
    level, at_count = next(levels)
    for number in mine:
        wait_s = due_s(number) - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        held.append(connect_from(ports[number]))
        while number + mine.step >= at_count:
            note.write(mine.start, level)
            level, at_count = next(levels, (level, sys.maxsize))
    sys.stdin.read()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--levels", required=True)
    arguments = parser.parse_args()
    port_range: PortRange = parse_port_range(arguments.ports.replace("-", " "))
    ports = list(port_range.ports)
    reached = [math.ceil(float(level) * len(ports) - 1e-9) for level in arguments.levels.split(",")]
    SOMAXCONN.write_text("65535")
    with socket.create_server(PEER, backlog=65535):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        processes = math.ceil(len(ports) / (hard - SPARE_FILES))
        notes = Notes(processes, len(reached))
        print("ready", flush=True)
        sys.stdin.readline()
        begin(ports, arguments.rate, reached, notes, processes)


def begin(ports: Sequence[int], rate: float, reached: Sequence[int], notes: Notes, processes: int) -> None:
    starts_s = time.monotonic() + 0.2
    for process in range(processes):
        if not os.fork():
            fill(ports, range(process, len(ports), processes), lambda number: starts_s + number / rate, reached, notes)
            os._exit(0)
    last = len(reached) - 1
    while not all(notes.read(process, last) for process in range(processes)):
        time.sleep(0.02)
    took_s = time.monotonic() - starts_s
    # A level is reached when one process has done its share of it and so has each other: the earliest, to be strict.
    at_ms = [min(notes.read(process, level) for process in range(processes)) for level in range(len(reached))]
    print(json.dumps({"reached_at_ms": at_ms, "rate": len(ports) / took_s}), flush=True)
    sys.stdin.read()
    for _ in range(processes):
        os.wait()


if __name__ == "__main__":
    main()
