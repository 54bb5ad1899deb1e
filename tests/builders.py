"""Values for tests that read aloud: each builder takes what the story is about and fills in the rest."""

from collections.abc import Mapping, Sequence

from shared.addresses import parse_ip
from shared.model import Kind, Namespace, Pool, Reading, Remainder, Snapshot
from shared.ports import PortRange
from shared.tcp import State

NOON_MS = 1_795_348_800_000
"""2026-11-22 12:00 UTC: when stories begin."""


def a_pool(
    peer_port: int = 9001,
    *,
    netns: str = "host",
    kind: Kind = Kind.CONNECT,
    local: str = "127.0.0.1",
    peer: str = "127.0.0.1",
) -> Pool:
    """127.0.0.1 -> 127.0.0.1:9001, as HAProxy sees its first backend."""
    return Pool(netns, kind, parse_ip(local), parse_ip(peer), peer_port)


def a_reading(
    held: int = 10, capacity: int = 300, *, pool: Pool | None = None, states: Mapping[State, int] | None = None
) -> Reading:
    """Exact headroom, every port ESTABLISHED unless told otherwise."""
    left = max(0, capacity - held)
    return Reading(pool or a_pool(), held, capacity, left, left, states or {State.ESTABLISHED: held})


def a_namespace(
    name: str = "host", *, ports: PortRange | None = None, reserved: int = 0, remainder: Remainder | None = None
) -> Namespace:
    """A range of 300 ports, every pool listed."""
    return Namespace(
        name=name,
        inode=4_026_531_840,
        port_range=ports or PortRange(40_000, 40_299),
        reserved=reserved,
        blocked=0,
        remainder=remainder or Remainder(),
    )


def a_snapshot(
    *readings: Reading,
    host: str = "lb1",
    boot_id: str = "boot-1",
    seq: int = 1,
    taken_at_ms: int = NOON_MS,
    interval_ms: int = 10_000,
    labels: Mapping[str, str] | None = None,
    namespaces: Sequence[Namespace] | None = None,
    failure: str | None = None,
) -> Snapshot:
    """A good one, of lb1, listing these readings."""
    return Snapshot(
        host=host,
        boot_id=boot_id,
        seq=seq,
        taken_at_ms=taken_at_ms,
        agent_version="0.1.0",
        interval_ms=interval_ms,
        labels={"role": "edge"} if labels is None else labels,
        namespaces=(a_namespace(),) if namespaces is None else tuple(namespaces),
        readings=readings,
        failure=failure,
    )


def a_failure(why: str = "sock_diag refused", *, seq: int = 1, taken_at_ms: int = NOON_MS) -> Snapshot:
    """A snapshot that says it could not be taken."""
    return a_snapshot(seq=seq, taken_at_ms=taken_at_ms, namespaces=(), failure=why)
