"""Values of the agent's own: what it knows of one network namespace before it counts, and of itself."""

from dataclasses import dataclass
from typing import NamedTuple


class NetnsId(NamedTuple):
    """One network namespace: what people call it, and the numbers that are it for as long as it lives."""

    name: str
    inode: int
    cookie: int = 0
    """Unlike the inode never used again until the host restarts; 0 where the kernel has none (before 5.14)."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What this process takes of its host, at one instant."""

    rss_bytes: int
    cpu_s: float
    """User and system, since the start."""
    open_files: int
