"""A load generator that knows how many connections it holds, for test_churn: `python -m tests.integration.agent.churn`.

Opens and closes connections of one pool as fast as it can, between a fifth and four fifths of the pool, and keeps an
account in a file that the test maps: what it surely holds, what it holds at most, how many it opened and closed. A
connection is closed with a reset, so that it leaves no TIME_WAIT.
"""

import argparse
import mmap
import random
import socket
import struct
import sys
import threading
from pathlib import Path

ACCOUNT = struct.Struct("=QQQ")
"""Surely held, opened ever, closed ever; held at most is surely held and one."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def main() -> None:
    """Churn until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("account", type=Path)
    parser.add_argument("--ports", type=int, default=2_000)
    arguments = parser.parse_args()
    server = socket.create_server(("127.0.0.1", 9001), backlog=4_096)
    threading.Thread(target=_accept_and_forget, args=(server,), daemon=True).start()
    stop = threading.Event()
    threading.Thread(target=_until_stdin_closes, args=(stop,), daemon=True).start()
    with arguments.account.open("r+b") as file, mmap.mmap(file.fileno(), ACCOUNT.size) as account:
        print("ready", flush=True)
        _churn(account, stop, arguments.ports)


def _until_stdin_closes(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _churn(account: mmap.mmap, stop: threading.Event, ports: int) -> None:
    held: list[socket.socket] = []
    opened = closed = 0
    goal = ports // 2
    while not stop.is_set():
        if len(held) == goal:
            goal = random.randint(ports // 5, ports * 4 // 5)
        if len(held) < goal:
            held.append(_connection())
            opened += 1
        else:
            held.pop(random.randrange(len(held))).close()
            closed += 1
        account[:] = ACCOUNT.pack(len(held), opened, closed)


def _connection() -> socket.socket:
    made = socket.create_connection(("127.0.0.1", 9001))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    return made


def _accept_and_forget(server: socket.socket) -> None:
    """The other end may close at once: what counts is what this side holds, in CLOSE_WAIT then."""
    while True:
        server.accept()[0].close()


if __name__ == "__main__":
    main()
