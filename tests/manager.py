"""A service manager to report to: the receiving end of sd_notify, on a real socket."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60.0


@dataclass(slots=True)
class Manager:
    """What a service told, in the order it told it."""

    address: str
    _socket: socket.socket
    heard: list[dict[str, str]] = field(default_factory=list)

    def next(self, within_s: float = PATIENCE_S) -> dict[str, str]:
        """One message. Raises TimeoutError where none comes."""
        self._socket.settimeout(within_s)
        lines = self._socket.recv(65_536).decode().splitlines()
        self.heard.append(dict(line.split("=", 1) for line in lines))
        return self.heard[-1]

    def wait_for(self, key: str, value: str = "1") -> dict[str, str]:
        """The next message with this assignment; those before it are passed over."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            message = self.next()
            if message.get(key) == value:
                return message
        raise TimeoutError(f"{key}={value}")

    @property
    def environment(self) -> dict[str, str]:
        """For the service."""
        return {"NOTIFY_SOCKET": self.address}


@contextmanager
def a_manager(place: Path) -> Iterator[Manager]:
    """Listens for as long as the block is open."""
    address = str(place / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
        receiving.bind(address)
        yield Manager(address, receiving)
