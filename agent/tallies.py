"""What the agent has done so far, as counts and ages that somebody may show. Pure.

Samplings are written by the sampling loop alone, pushes by the pushing loop, both in the thread of the event loop;
read there too. While the sampling loop waits for its next tick, the sentry's thread (agent.dozing) writes for it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.cadence import Reason
from agent.steered import UNSTEERED, Steered
from shared.model import Claims, Namespace, Reading


@dataclass(slots=True)
class Samplings:
    """Counts since the start; what is said of the latest sample is that of the latest one that succeeded."""

    samples: Counter[Reason] = field(default_factory=Counter)
    """Samples taken, the failed ones among them, by the reason for each."""
    failed: int = 0
    """Samples that failed; the snapshots of these carry the reason and no readings."""
    deferred: int = 0
    """Ticks at which a sample was wanted that the CPU share did not allow."""
    interval_s: float = 0.0
    """How often samples are taken where nothing happens: as configured, or as the CPU share allows if that is less."""
    looked_at: int = 0
    """Looks at the sockets of one namespace; a sample passes over those whose counters stood still."""
    restarts: int = 0
    """How often a sampler that kept failing was replaced by a fresh one."""
    cpu_s: float = 0.0
    """CPU seconds, user and system, that samples took, and ticks at which something had moved."""
    last_cpu_s: float = 0.0
    """CPU seconds of the latest sample."""
    last_at_s: float | None = None
    """When the latest sample was taken, monotonic; None before the first."""
    sockets: int = 0
    """Outbound sockets that the latest sample counted, on ports of the range."""
    pools: int = 0
    """Pools that it lists one by one."""
    namespaces: int = 0
    """Network namespaces that it tells of."""
    unreadable: int = 0
    """Network namespaces with sockets that it could not read."""
    readings: tuple[Reading, ...] = ()
    """What it read, pool by pool."""
    spaces: tuple[Namespace, ...] = ()
    """What it read, namespace by namespace."""
    claims: Mapping[str, Claims] = field(default_factory=dict)
    """By namespace, the ports that a wider range must not lend; written by agent.remembering."""
    steered: Steered = UNSTEERED
    """What came of the fleet's configuration; written by agent.steering."""
    back_by_s: float | None = None
    """By when the sampling loop means to come round again, monotonic; None before its first round. Where that is long
    past, the loop hangs."""

    def age_s(self, now_s: float) -> float | None:
        """How old the latest sample is; `now_s` is monotonic. None before the first."""
        return None if self.last_at_s is None else max(0.0, now_s - self.last_at_s)


@dataclass(slots=True)
class Pushes:
    """Counts since the start."""

    verdicts: Counter[str] = field(default_factory=Counter)
    """Attempts to send a snapshot, by what came of it: a Fate in lower case, or UNREACHABLE."""
    taken_bytes: int = 0
    """Bytes of snapshots that the collector took."""
    connects: int = 0
    """Connections opened; a healthy agent needs one."""
    config_revision: int | None = None
    """The revision of the configuration that the collector last spoke of; None before it did."""


UNREACHABLE = "unreachable"
"""The verdict where there was no answer at all."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How full the spool is, and what it had to let go."""

    snapshots: int
    bytes: int
    dropped: int
    refused: int
    oldest_at_ms: int | None = None
    """When the oldest snapshot in it was taken, by the host's clock; None where there is none."""
    in_memory: int = 0
    """Those of the snapshots that wait in memory, because the disk refuses them."""
    damaged: int = 0
    """Files that were found damaged and set aside, since the start."""
    salvaged: int = 0
    """Snapshots that could be read out of these."""
    trouble: str = ""
    """Why the disk refuses; empty while it serves."""
