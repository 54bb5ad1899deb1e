"""A process that spends the ports of its namespace, for tests that watch somebody else do it.

`python -m tests.spender '[["connect", "127.0.0.1", 9001, 120]]'` listens, does the steps in order, prints one JSON
object of what became of them, and keeps everything open until its standard input ends. Steps:

    ["connect", address, port, count]         plain connect(), accepted; ::ffff:127.0.0.1 goes to the IPv4 listener
    ["from", local, local_port, address, port, count]   the same, each socket bound first (SO_REUSEADDR)
    ["abandon", address, port, count]         begun without waiting, and closed
    ["towards", address, port, count]         plain connect() to somebody else, who accepts
    ["occupy", address, low, high]            bound, each port from low to high, and nothing more
    ["become", uid]                           go on as another user

It listens on 127.0.0.1 and ::1, on every port that a step names but 9: there attempts are refused.
"""

import json
import os
import socket
import sys
from collections import Counter
from typing import Any

REFUSING = 9
LISTENING = ("connect", "from", "abandon")


class Spender:
    """Its sockets, and what became of each attempt: "ok", or the errno's number."""

    def __init__(self, ports: set[int]) -> None:
        """Listen."""
        self.kept: list[socket.socket] = []
        self.listeners = {
            (address, port): self._listener(address, port) for address in ("127.0.0.1", "::1") for port in ports
        }

    def _listener(self, address: str, port: int) -> socket.socket:
        made = self._socket(address)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(500)
        return made

    def _socket(self, address: str) -> socket.socket:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.kept.append(made)
        return made

    def _try(self, client: socket.socket, address: str, port: int) -> str:
        error = client.connect_ex((address, port))
        if error:
            return str(error)
        self.kept.append(self.listeners[address.removeprefix("::ffff:"), port].accept()[0])
        return "ok"

    def connect(self, address: str, port: int, count: int) -> Counter[str]:
        return Counter(self._try(self._socket(address), address, port) for _ in range(count))

    def from_(self, local: str, local_port: int, address: str, port: int, count: int) -> Counter[str]:
        def one() -> str:
            client = self._socket(address)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((local, local_port))
            return self._try(client, address, port)

        return Counter(one() for _ in range(count))

    def abandon(self, address: str, port: int, count: int) -> Counter[str]:
        def one() -> str:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
                client.settimeout(0)
                return str(client.connect_ex((address, port)))

        return Counter(one() for _ in range(count))

    def towards(self, address: str, port: int, count: int) -> Counter[str]:
        return Counter(str(self._socket(address).connect_ex((address, port)) or "ok") for _ in range(count))

    def occupy(self, address: str, low: int, high: int) -> Counter[str]:
        def one(port: int) -> str:
            try:
                self._socket(address).bind((address, port))
            except OSError as error:
                return str(error.errno)
            return "ok"

        return Counter(one(port) for port in range(low, high + 1))

    def do(self, name: str, *arguments: Any) -> Counter[str]:
        match name:
            case "connect":
                return self.connect(*arguments)
            case "from":
                return self.from_(*arguments)
            case "towards":
                return self.towards(*arguments)
            case "occupy":
                return self.occupy(*arguments)
            case "become":
                os.setresuid(*arguments * 3)
                return Counter()
            case _:
                return self.abandon(*arguments)


def main(steps: list[list[Any]]) -> None:
    spender = Spender({step[-2] for step in steps if step[0] in LISTENING} - {REFUSING})
    told = [spender.do(*step) for step in steps]
    print(json.dumps({"pid": os.getpid(), "steps": told}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
