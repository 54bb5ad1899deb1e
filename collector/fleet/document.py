"""Pools and readings as JSON: the keys of `portgauge-agent pools --json`, here and in every notice. Pure."""

from typing import Any

from shared.model import Pool, Reading


def pool_document(pool: Pool) -> dict[str, Any]:
    """What names the pool."""
    return {
        "netns": pool.netns,
        "kind": pool.kind.value,
        "local_ip": pool.local_ip,
        "peer_ip": pool.peer_ip,
        "peer_port": pool.peer_port,
    }


def reading_document(reading: Reading) -> dict[str, Any]:
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
    }
