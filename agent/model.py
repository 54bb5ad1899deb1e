"""Values of the agent's own: what it knows of one network namespace before it counts, and of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.ports import PortRange


class NetnsId(NamedTuple):
    """One network namespace: what people call it, and the numbers that are it for as long as it lives."""

    name: str
    inode: int
    cookie: int = 0
    """Unlike the inode never used again until the host restarts; 0 where the kernel has none (before 5.14)."""


@dataclass(frozen=True, slots=True)
class PortSettings:
    """How one network namespace lends its ports."""

    port_range: PortRange
    reserved: frozenset[int] = frozenset()
    """All of ip_local_reserved_ports, inside the range or not."""
    integers: Mapping[str, int] = field(default_factory=dict)
    """The other sysctls by their name under net.ipv4; a missing name means that the kernel has no such setting."""

    @property
    def reserved_in_range(self) -> frozenset[int]:
        """The reserved ports that cost the range something."""
        return frozenset(port for port in self.reserved if port in self.port_range)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What this process takes of its host, at one instant."""

    rss_bytes: int
    cpu_s: float
    """User and system, since the start."""
    open_files: int
