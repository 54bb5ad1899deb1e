"""The values both sides speak of: a pool, its reading, and the snapshot of one host at one instant.

What runs out is a *pool*: one (network namespace, local ip, peer ip, peer port) for connect(), never the host as a
whole. Everything here is a frozen value; addresses are packed bytes, v4-mapped ones folded (see shared.addresses).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.addresses import format_endpoint, format_ip
from shared.ports import PortRange
from shared.tcp import State


class Kind(StrEnum):
    """Which rule of the kernel a pool follows."""

    CONNECT = "connect"
    """TCP connect() without a bind: one pool per (local ip, peer ip, peer port)."""
    BIND = "bind"
    """TCP bind(ip, 0) before connect(): one pool per local ip, whatever the destination."""
    UDP = "udp"
    """UDP autobind: one pool per address family, whatever the destination."""


@dataclass(frozen=True, slots=True, order=True)
class Pool:
    """What a set of connections shares its ports with. Fields that the kind does not use are empty (b"", 0)."""

    netns: str
    kind: Kind
    local: bytes
    peer: bytes = b""
    peer_port: int = 0

    @property
    def local_ip(self) -> str:
        """The source address as text."""
        return format_ip(self.local)

    @property
    def peer_ip(self) -> str:
        """The destination address as text."""
        return format_ip(self.peer)

    def __str__(self) -> str:
        if self.kind is Kind.CONNECT:
            return f"{self.local_ip} -> {format_endpoint(self.peer, self.peer_port)}"
        return f"{self.local_ip} -> any ({self.kind})"


@dataclass(frozen=True, slots=True)
class Reading:
    """One pool at one instant. Counts are ports; `headroom` is how many more plain connect() would succeed."""

    pool: Pool
    held: int
    capacity: int
    headroom_min: int
    headroom_max: int
    states: Mapping[State, int] = field(default_factory=dict)
    failures: int = 0
    """connect() calls that failed for want of a port since the previous snapshot; 0 also where nobody can watch."""
    owner: str = ""
    """Who holds the pool, as people say it (`haproxy.service, pid 1312`); empty where nobody looked or could tell."""
    knee: bool | None = None
    """Whether connect() walks half the range in vain each time, some 100 times longer than before (no port is left at
    an even offset); None where nobody counted."""
    recyclable: int = 0
    """TIME_WAITs that connect() may take over by their age, so neither held nor among `states`; 0 also where nobody
    read their ages."""

    @property
    def occupancy(self) -> float:
        """The held share of the capacity, 0.0 to 1.0; a pool without any port to lend is full."""
        return min(1.0, self.held / self.capacity) if self.capacity else 1.0


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a snapshot does not list one by one, as exact sums, so that totals always add up."""

    pools: int = 0
    held: int = 0
    max_held: int = 0
    """Upper bound of `held` for any pool that is not listed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The ports from 1 to 65535 that a wider range must not lend.

    Reserved ones, and those that something listens on or is bound to by number, now or as far back as the agent
    remembers.
    """

    stretches: tuple[PortRange, ...]
    """In order, never touching."""
    since_ms: int
    """How far back the memory goes, by the host's clock."""

    @property
    def ports(self) -> frozenset[int]:
        """All of them."""
        return frozenset(port for stretch in self.stretches for port in stretch.ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """One network namespace of the host as the sample found it."""

    name: str
    inode: int
    port_range: PortRange
    reserved: int
    """Ports of the range in ip_local_reserved_ports."""
    blocked: int
    """Ports of the range, not reserved, that no connect() may take because something bound them."""
    settings: Mapping[str, int] = field(default_factory=dict)
    """The sysctls that decide what connect() may do, by their name under net.ipv4."""
    totals: Mapping[State, int] = field(default_factory=dict)
    """Outbound sockets on ports of the range, by state, over all pools."""
    remainder: Remainder = field(default_factory=Remainder)
    claims: Claims | None = None
    """None from agents that do not tell them, or do not know them yet."""

    @property
    def capacity(self) -> int:
        """Ports a connect pool of this namespace can lend at all."""
        return max(0, len(self.port_range) - self.reserved - self.blocked)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Part of a host that a sample could not see. What is missing is said, never taken for calm."""

    namespaces: int
    """How many network namespaces with sockets; 0 where not even that can be told."""
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an application of the host logged about connect() without a port, since the previous snapshot."""

    pool: Pool | None
    """What it is about; None where that cannot be told for sure."""
    program: str
    text: str
    """The words that were recognised; the rest of the line stays on the host."""
    count: int
    last_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """How the agent itself fares: what a rollout is judged by."""

    started_ms: int = 0
    """When its process began; another one means that it was restarted."""
    cpu_ms: int = 0
    """CPU time of the process since then, user and system."""
    dropped: int = 0
    """Snapshots that its spool let go past a bound, since the spool was made."""
    revision: int = 0
    """The revision of the fleet's configuration in force; 0: none, or only its own."""
    failed: int = 0
    """The revision it was given last and does not use; 0: none."""
    why: str = ""
    """Why not."""
    features: tuple[str, ...] = ()
    """What it understands beyond the first of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All readings of one host at one instant. (host, boot_id, seq) names it: receiving it twice is harmless."""

    host: str
    boot_id: str
    seq: int
    taken_at_ms: int
    agent_version: str
    interval_ms: int
    """How often this agent means to report; silence is measured against it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespaces: tuple[Namespace, ...] = ()
    readings: tuple[Reading, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    failure: str | None = None
    """Why the sample could not be taken; then there are no readings. Blind is not silent."""
    machine_id: str = ""
    """What tells the machine from others that claim its name: 32 hex digits, made for portgauge; empty if unknown."""
    state: AgentState | None = None
    """None from agents that do not tell it."""
    uptime_ms: int = 0
    """When it was taken on a clock that nobody sets: since the host's boot, the time asleep included; 0 if unknown."""
