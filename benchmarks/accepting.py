"""A collector that takes everything and forgets it, for measuring agents; and a neighbour who is never quiet.

    python -m benchmarks.accepting --stir 0.5

listens on 127.0.0.1:8766 of its namespace, and with --stir tries so often to connect where nobody listens, so that
the agent beside it has a reason to look. Answers each line on standard input with how many snapshots came.
"""

import argparse
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

ADDRESS = ("127.0.0.1", 8766)
NOBODY = ("127.0.0.1", 9)
ANSWER = b'{"accepted": true}'


class Taking(BaseHTTPRequestHandler):
    """Takes snapshots over connections that are kept."""

    protocol_version = "HTTP/1.1"
    taken: ClassVar[int] = 0

    def do_POST(self) -> None:
        """Take one."""
        self.rfile.read(int(self.headers["Content-Length"]))
        Taking.taken += 1
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def stir(address: tuple[str, int]) -> None:
    """One connection, refused at once: the kernel counts it, and nothing is left of it."""
    with socket.socket() as made:
        made.connect_ex(address)


def stir_forever(every_s: float) -> None:
    """One after the other."""
    while True:
        time.sleep(every_s)
        stir(NOBODY)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stir", type=float, metavar="S")
    arguments = parser.parse_args()
    with ThreadingHTTPServer(ADDRESS, Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if arguments.stir:
            threading.Thread(target=stir_forever, args=[arguments.stir], daemon=True).start()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(Taking.taken, flush=True)
        server.shutdown()


if __name__ == "__main__":
    main()
