"""The sysctls that decide what connect() may do, read from /proc/sys/net of the thread's network namespace."""

import os
from functools import lru_cache
from pathlib import Path

from agent.errors import SamplingFailed
from agent.reread import Reread, whole
from shared.ports import InvalidPorts, PortSettings, parse_port_range, parse_ports

IPV4 = Path("/proc/sys/net/ipv4")
INTEGERS = (
    "tcp_tw_reuse",
    "tcp_tw_reuse_delay",
    "tcp_timestamps",
    "tcp_max_tw_buckets",
    "tcp_fin_timeout",
    "ip_unprivileged_port_start",
    "tcp_l3mdev_accept",
)
"""Read where the kernel has them: tcp_tw_reuse_delay came with 6.14."""
DECISIVE = ("ip_local_port_range", "ip_local_reserved_ports", "tcp_tw_reuse")
"""What changes every pool at once when somebody sets it."""


class Decisive:
    """The text of these, kept open to be read each second: for one thread's own namespace."""

    def __init__(self, root: Path = IPV4) -> None:
        self._root = root
        self._files = [Reread(f"{root}/{name}") for name in DECISIVE]

    def read(self) -> tuple[bytes, ...]:
        """As they are now. Raises SamplingFailed."""
        try:
            return tuple(file.read() for file in self._files)
        except OSError as error:
            raise SamplingFailed(f"the sysctls under {self._root} cannot be read: {error}") from error


def read_port_settings(root: Path = IPV4) -> PortSettings:
    """Read them now. Raises SamplingFailed where /proc does not give them."""
    try:
        port_range = parse_port_range(_text(f"{root}/ip_local_port_range"))
        reserved = _parsed(_text(f"{root}/ip_local_reserved_ports"))
        integers = {name: value for name in INTEGERS if (value := _integer(f"{root}/{name}")) is not None}
    except (OSError, InvalidPorts, ValueError) as error:
        raise SamplingFailed(f"the sysctls under {root} cannot be read: {error}") from error
    return PortSettings(port_range, reserved, integers)


_parsed = lru_cache(maxsize=64)(parse_ports)
"""A list is the same from sample to sample, and the longest takes 80 ms to read."""


def _integer(path: str) -> int | None:
    try:
        return int(_text(path))
    except FileNotFoundError:
        return None


def _text(path: str) -> str:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return whole(file).decode()
    finally:
        os.close(file)
