"""What the collector knows of one host, and how a received snapshot changes it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from shared.errors import PortgaugeError
from shared.model import AgentState, Evidence, Reading

SILENT_INTERVALS = 3
"""One report may be lost and one late; three missed in a row are silence."""
CONTESTED_MS = 600_000
"""A name that changes its machine once was given to another; twice within ten minutes, and two hold it."""
SKEW_FLOOR_MS = 5_000
"""A clock off by less than this is as right as a slow push can tell."""
SILENT_AT_LEAST_MS = 5_000
"""Agents that report many times a second are not silent for one slow round trip."""


class UnknownHost(PortgaugeError):
    """Nobody of that name ever reported."""

    def __init__(self, host: str) -> None:
        super().__init__(f"no host {host[:253]!r} ever reported; see /v1/hosts")
        self.host = host


def patience_ms(interval_ms: int) -> int:
    """How long after its last report a host that reports so often is silent."""
    return max(SILENT_INTERVALS * interval_ms, SILENT_AT_LEAST_MS)


class Presence(StrEnum):
    """Whether a host's latest readings may be believed now."""

    REPORTING = "reporting"
    SILENT = "silent"
    """Nothing new has been received for three intervals."""
    BLIND = "blind"
    """It reports, but says that it cannot sample."""
    FORGOTTEN = "forgotten"
    """It was said to be no more, and has not reported since."""


class Fares(Protocol):
    """What an agent says of itself: the fields of shared.model.AgentState."""

    @property
    def cpu_ms(self) -> int: ...  # noqa: D102
    @property
    def features(self) -> Sequence[str]: ...  # noqa: D102


class Reported(Protocol):
    """What is kept of a snapshot beside its body, by the names of shared.model.Snapshot."""

    @property
    def host(self) -> str: ...  # noqa: D102 - as shared.model.Snapshot tells
    @property
    def boot_id(self) -> str: ...  # noqa: D102
    @property
    def seq(self) -> int: ...  # noqa: D102
    @property
    def taken_at_ms(self) -> int: ...  # noqa: D102
    @property
    def interval_ms(self) -> int: ...  # noqa: D102
    @property
    def agent_version(self) -> str: ...  # noqa: D102
    @property
    def labels(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def failure(self) -> str | None: ...  # noqa: D102
    @property
    def machine_id(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> Fares | None: ...  # noqa: D102


class Arrival(NamedTuple):
    """A valid snapshot as it was received. `body` is what the wire carried.

    A tuple, as all that every snapshot makes: a frozen dataclass takes three times as long.
    """

    snapshot: Reported
    body: bytes
    received_ms: int

    @property
    def taken_ms(self) -> int:
        """When it was taken by its host's clock, the future clamped: nothing is taken after it is received."""
        return min(self.snapshot.taken_at_ms, self.received_ms)

    @property
    def key(self) -> tuple[str, str, int]:
        """(host, boot_id, seq): what makes a retry harmless."""
        return (self.snapshot.host, self.snapshot.boot_id, self.snapshot.seq)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why what a host says of itself is to be doubted. `skew_ms`: its clock less ours; 0 where it is near enough."""

    is_contested: bool
    skew_ms: int


class Host(Struct, frozen=True, kw_only=True):
    """Counters over its life here, and the newest snapshot's facts (an empty boot_id, a hot id of 0: none yet).

    Every snapshot makes one, and changes most of it: a dataclass would take ten times as long.
    """

    id: int
    name: str
    received: int = 0
    duplicates: int = 0
    missing: int = 0
    last_seen_ms: int = 0
    boot_id: str = ""
    last_seq: int = 0
    latest_hot_id: int = 0
    latest_good_hot_id: int = 0
    latest_received_ms: int = 0
    latest_taken_ms: int = 0
    skew_ms: int = 0
    interval_ms: int = 0
    agent_version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None
    machine_id: str = ""
    machine_since_ms: int = 0
    """When its newest snapshots began to come from that machine."""
    cpu_ms: int = 0
    """CPU time of the agent's process since it started."""
    state: Mapping[str, Any] | None = None
    """shared.model.AgentState but for cpu_ms; None where the agent does not tell it."""
    contested_ms: int = 0
    """When two machines last spoke under this name by turns, or under one boot and seq; 0: never."""
    forgotten_ms: int | None = None
    """When it was said to be no more; None: it is."""

    @property
    def role(self) -> str | None:
        """The group of machines it belongs to."""
        return self.labels.get("role")

    def presence(self, now_ms: int) -> Presence:
        """What its latest readings are worth at `now_ms`."""
        if self.forgotten_ms is not None:
            return Presence.FORGOTTEN
        if now_ms - self.latest_received_ms > self._patience_ms:
            return Presence.SILENT
        return Presence.REPORTING if self.failure is None else Presence.BLIND

    def is_superseded_by(self, arrival: Arrival) -> bool:
        """Whether the arrival is newer than all that was received of this host.

        Within a boot seq decides. Across boots the time taken does, so that the backlog of an old boot, sent after
        the new boot's first report, stays history. A clock that a reboot set back would make the new boot look old
        for ever; but then the old boot has gone silent, and whoever speaks is the host.
        """
        if not self.boot_id:
            return True
        if arrival.snapshot.boot_id == self.boot_id:
            return arrival.snapshot.seq > self.last_seq
        is_later = arrival.taken_ms > self.latest_taken_ms
        return is_later or arrival.received_ms - self.latest_received_ms > self._patience_ms

    def with_duplicate(self, received_ms: int) -> "Host":
        """After receiving again what was already stored."""
        return replace(self, duplicates=self.duplicates + 1, last_seen_ms=max(self.last_seen_ms, received_ms))

    def with_conflict(self, received_ms: int) -> "Host":
        """After refusing what was sent under the name of another snapshot: two agents share an identity."""
        return replace(self, contested_ms=received_ms, last_seen_ms=max(self.last_seen_ms, received_ms))

    def with_backlog(self, arrival: Arrival, *, missing: int) -> "Host":
        """After storing an arrival that is no news; `missing`: the change in snapshots known of and not received."""
        return replace(
            self,
            received=self.received + 1,
            missing=max(0, self.missing + missing),
            last_seen_ms=max(self.last_seen_ms, arrival.received_ms),
        )

    def with_newest(self, arrival: Arrival, *, missing: int, hot_id: int) -> "Host":
        """As `with_backlog`, after storing its newest snapshot in that place of the log."""
        snapshot = arrival.snapshot
        return replace(
            self,
            received=self.received + 1,
            missing=max(0, self.missing + missing),
            last_seen_ms=max(self.last_seen_ms, arrival.received_ms),
            latest_hot_id=hot_id,
            latest_good_hot_id=hot_id if snapshot.failure is None else self.latest_good_hot_id,
            boot_id=snapshot.boot_id,
            last_seq=snapshot.seq,
            latest_received_ms=arrival.received_ms,
            latest_taken_ms=arrival.taken_ms,
            skew_ms=snapshot.taken_at_ms - arrival.received_ms,
            interval_ms=snapshot.interval_ms,
            agent_version=snapshot.agent_version,
            labels=dict(snapshot.labels),
            failure=snapshot.failure,
            cpu_ms=snapshot.state.cpu_ms if snapshot.state else 0,
            state=_without_cpu(snapshot.state) if snapshot.state else None,
            forgotten_ms=None if self._is_back(arrival) else self.forgotten_ms,
            **self._with_machine(arrival),
        )

    def is_contested(self, now_ms: int) -> bool:
        """Whether two machines report under this name: its readings are now of the one, now of the other."""
        return self.contested_ms > 0 and now_ms - self.contested_ms <= CONTESTED_MS

    def _is_back(self, arrival: Arrival) -> bool:
        """Whether it is there again: what was under way when the host was forgotten does not count."""
        return self.forgotten_ms is None or arrival.received_ms > self.forgotten_ms

    def _with_machine(self, arrival: Arrival) -> dict[str, Any]:
        machine_id, now_ms = arrival.snapshot.machine_id, arrival.received_ms
        if not machine_id or machine_id == self.machine_id:
            return {}
        is_return = bool(self.machine_id) and now_ms - self.machine_since_ms <= CONTESTED_MS
        changed = {"machine_id": machine_id, "machine_since_ms": now_ms}
        return changed | ({"contested_ms": now_ms} if is_return else {})

    @property
    def _patience_ms(self) -> int:
        return patience_ms(self.interval_ms)


_TOLD = tuple(one.name for one in fields(AgentState) if one.name not in {"cpu_ms", "features"})


def _without_cpu(state: Fares) -> dict[str, Any]:
    """As JSON keeps it: what is written only when it changes."""
    return {**{name: getattr(state, name) for name in _TOLD}, "features": list(state.features)}


class Boot(NamedTuple):
    """The sequence numbers seen of one boot of a host, both ends included."""

    first_seq: int
    last_seq: int

    def with_seq(self, seq: int) -> tuple["Boot", int]:
        """After a number not seen before; and by how much the count of missing numbers changes."""
        if seq > self.last_seq:
            return Boot(self.first_seq, seq), seq - self.last_seq - 1
        if seq < self.first_seq:
            return Boot(seq, self.last_seq), self.first_seq - seq - 1
        return self, -1


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool as its host last reported it; not `is_current` where the host is silent or blind since."""

    host: str
    role: str | None
    reading: Reading
    taken_at_ms: int
    is_current: bool
    evidence: tuple[Evidence, ...] = ()
    """What applications logged of it since the report before."""
