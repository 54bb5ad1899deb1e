"""Sockets for the connection to the collector: kept alive, and from a port of our own where the host has none left."""

import errno
import os
import socket
from collections import deque
from collections.abc import Sequence

from agent.lean import aiohttp

KEEPALIVE_S, KEEPALIVE_EVERY_S, KEEPALIVE_COUNT = 30, 10, 3
"""Within the idle time of every usual NAT and balancer (four minutes and more); a dead peer is known after a minute."""
UNACKNOWLEDGED_MS = 30_000
"""Bytes that nobody acknowledges for so long mean that the link is gone."""
NO_PORT = frozenset({errno.EADDRNOTAVAIL, errno.EADDRINUSE})


class Dialer:
    """Gives each socket of one attempt to connect another of the source ports; after them one of the kernel's choice.

    The ports are used first, not only in need: a way out that is never walked may be blocked when it is needed.
    """

    def __init__(self, source_ports: Sequence[int] = ()) -> None:
        self._ports = deque(source_ports)
        self._untried: deque[int] = deque()
        self.refusals: dict[int, str] = {}
        """Why ports could not be had in this attempt."""
        self._tried: int | None = None

    def begin(self) -> None:
        """A new attempt. It starts with the port after the one that was last used: that may be in TIME_WAIT."""
        self._untried = deque(self._ports)
        self.refusals = {}
        self._tried = None

    def open_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """For aiohttp's connector."""
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        try:
            _keep_alive(made)
            self._tried = self._bind(made)
        except BaseException:
            made.close()
            raise
        return made

    def may_try_another(self, error: OSError) -> bool:
        """After connect() failed: whether that was for want of the port, and another one is left to try."""
        if error.errno not in NO_PORT or self._tried is None:
            return False
        self.refusals[self._tried] = os.strerror(error.errno)
        return True

    def _bind(self, made: socket.socket) -> int | None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Past TIME_WAITs towards other places.
        while self._untried:
            port = self._untried.popleft()
            self._ports.rotate(-1)
            try:
                made.bind(("", port))
            except OSError as error:
                self.refusals[port] = os.strerror(error.errno or 0)
            else:
                return port
        return None

    def why_no_port(self) -> str:
        """What to say where there was no local port at all."""
        what = "this host has no local port left towards it"
        if not self._ports:
            return f"{what}; give the agent some of its own: source_ports"
        tried = ", ".join(f"{port} ({why})" for port, why in self.refusals.items())
        return f"{what}, and none of source_ports can be had: {tried}"


def _keep_alive(made: socket.socket) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
