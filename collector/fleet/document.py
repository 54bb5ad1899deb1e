"""Pools and readings as JSON: the keys of `portgauge-agent pools --json`, here and in every notice. Pure."""

from collections.abc import Iterable
from typing import Annotated, TypedDict

from msgspec import Meta

from shared.model import Evidence, Kind, Pool, Reading


def one_of(texts: Iterable[str]) -> Meta:
    """A text that is one of these."""
    return Meta(extra_json_schema={"enum": [str(text) for text in texts]})


Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class PoolShape(TypedDict):
    """What names a pool: what its kind does not use is empty (`""`, 0)."""

    netns: str
    kind: Annotated[str, one_of(Kind)]
    local_ip: str
    peer_ip: str
    peer_port: Annotated[int, Meta(ge=0, le=65_535)]


class ReadingShape(TypedDict):
    """What was read of a pool: ports, and sockets by state."""

    held: Count
    capacity: Count
    headroom_min: Count
    headroom_max: Count
    occupancy: Annotated[Share, Meta(description="held / capacity")]
    states: dict[str, Count]
    owner: Annotated[str, Meta(description="who holds it; empty where nobody could tell")]
    failures: Annotated[Count, Meta(description="connect() calls that failed for want of a port since the last report")]
    knee: Annotated[bool | None, Meta(description="whether connect() walks half the range in vain; null: not counted")]
    recyclable: Annotated[
        Count, Meta(description="further TIME_WAITs that connect() may take over: neither held nor among states")
    ]


class EvidenceShape(TypedDict):
    """What an application logged about connect() without a port: who, the words recognised, how often, when last."""

    program: str
    text: str
    count: Count
    last_at_ms: Count


def evidence_document(one: Evidence) -> EvidenceShape:
    """What was logged."""
    return {"program": one.program, "text": one.text, "count": one.count, "last_at_ms": one.last_at_ms}


def pool_document(pool: Pool) -> PoolShape:
    """What names the pool."""
    return {
        "netns": pool.netns,
        "kind": pool.kind.value,
        "local_ip": pool.local_ip,
        "peer_ip": pool.peer_ip,
        "peer_port": pool.peer_port,
    }


def reading_document(reading: Reading) -> ReadingShape:
    """What was read of it: ports, and sockets by state."""
    return {
        "held": reading.held,
        "capacity": reading.capacity,
        "headroom_min": reading.headroom_min,
        "headroom_max": reading.headroom_max,
        "occupancy": round(reading.occupancy, 6),
        "states": {state.name: count for state, count in reading.states.items()},
        "owner": reading.owner,
        "failures": reading.failures,
        "knee": reading.knee,
        "recyclable": reading.recyclable,
    }
