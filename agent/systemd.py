"""Telling systemd how we are: sd_notify(3), a datagram of KEY=VALUE lines to the socket named in NOTIFY_SOCKET.

Not run by systemd, there is no such socket, and every message goes nowhere. The edge.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from shared.logs import fields

log = logging.getLogger(__name__)

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"
SEND_S = 0.5
"""How long systemd may keep us waiting when its queue is full."""
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where to send to, and how often systemd wants to hear from us."""

    address: str = ""
    """Path of the socket, or its abstract name behind an @; empty where nobody listens."""
    watchdog_s: float | None = None
    """Silence for so long and systemd ends us; None where it does not mind."""

    def tell(self, *lines: str) -> None:
        """Send these assignments as one message. A message that cannot be sent is logged: it must not stop the agent.

        Blocks for SEND_S at most.
        """
        if not self.address:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(SEND_S)
                out.sendto("\n".join(lines).encode(), name)
        except OSError as error:
            log.warning("systemd cannot be told", extra=fields(socket=self.address, why=str(error)))


def from_environment(environ: Mapping[str, str] = os.environ) -> Notifier:
    """What systemd says in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Only unix sockets are understood."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return Notifier()
    period_us, meant_for = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    is_ours = meant_for in ("", str(os.getpid()))
    watched = is_ours and period_us.isascii() and period_us.isdigit() and int(period_us) > 0
    return Notifier(address, int(period_us) / _US if watched else None)


def reloading() -> tuple[str, str]:
    """That a reload begins now; systemd orders it against others by the monotonic clock."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def status(text: str) -> str:
    """One line for `systemctl status`."""
    return f"STATUS={' '.join(text.split())}"
