"""A sidecar that marks its own traffic by the source address and knows no better way than bind(address, 0).

    python -m tests.acceptance.sidecar ADDRESS COUNT PORT...

connects COUNT times to 127.0.0.1, to the ports in turn, and prints `ready`; it keeps the connections until ended.
Without IP_BIND_ADDRESS_NO_PORT each bind takes a port for every destination.
"""

import itertools
import signal
import socket
import sys

from tests.acceptance.backend import GREETING
from tests.acceptance.parts import LOCAL_IP


def connect(address: str, port: int) -> socket.socket:
    """One connection that a backend has greeted."""
    made = socket.socket()
    made.bind((address, 0))
    made.connect((LOCAL_IP, port))
    made.recv(len(GREETING), socket.MSG_WAITALL)
    return made


def main(address: str, count: int, ports: list[int]) -> None:
    """Connect, and wait to be ended."""
    kept = [connect(address, port) for port in itertools.islice(itertools.cycle(ports), count)]
    print("ready", len(kept), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [int(port) for port in sys.argv[3:]])
