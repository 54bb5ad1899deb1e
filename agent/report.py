"""What `--json` prints, as plain values. Pure. The keys are documented in docs/commands.md and kept."""

from collections.abc import Iterable, Sequence
from typing import Any

from agent.accounting.derivation import Derivation, Doubt
from agent.tally import Summary
from shared.addresses import format_ip
from shared.model import Namespace, Reading, Unreadable
from shared.ports import format_ports


def pools_report(
    host: str, taken_at_ms: int, summaries: Sequence[Summary], limit: int, unreadable: Sequence[Unreadable] = ()
) -> dict[str, Any]:
    """`pools --json`: one object for the whole host."""
    return {
        "host": host,
        "taken_at_ms": taken_at_ms,
        "namespaces": [namespace_report(summary.namespace) for summary in summaries],
        "pools": [reading_report(reading) for summary in summaries for reading in summary.readings[:limit]],
        "unreadable": [{"namespaces": one.namespaces, "why": one.why} for one in unreadable],
    }


def namespace_report(namespace: Namespace) -> dict[str, Any]:
    """One network namespace."""
    rest = namespace.remainder
    return {
        "netns": namespace.name,
        "inode": namespace.inode,
        "range": {"low": namespace.port_range.low, "high": namespace.port_range.high},
        "reserved": namespace.reserved,
        "blocked": namespace.blocked,
        "capacity": namespace.capacity,
        "settings": dict(namespace.settings),
        "totals": {state.name: count for state, count in namespace.totals.items()},
        "remainder": {"pools": rest.pools, "held": rest.held, "max_held": rest.max_held},
    }


def reading_report(reading: Reading) -> dict[str, Any]:
    """One pool."""
    pool = reading.pool
    return {
        "netns": pool.netns,
        "kind": pool.kind.value,
        "local_ip": pool.local_ip,
        "peer_ip": pool.peer_ip,
        "peer_port": pool.peer_port,
        "held": reading.held,
        "capacity": reading.capacity,
        "headroom_min": reading.headroom_min,
        "headroom_max": reading.headroom_max,
        "occupancy": round(reading.occupancy, 6),
        "states": {state.name: count for state, count in reading.states.items()},
        "failures": reading.failures,
        "owner": reading.owner,
        "knee": reading.knee,
        "recyclable": reading.recyclable,
    }


def derivation_report(derivation: Derivation, netns: str, note: str, owner: str = "") -> dict[str, Any]:
    """`explain --json`: one object with every term of the sum."""
    question = derivation.question
    return {
        "netns": netns,
        "owner": owner,
        "kind": question.kind.value,
        "protocol": question.protocol.value,
        "local_ip": format_ip(question.local),
        "peer_ip": format_ip(question.peer),
        "peer_port": question.peer_port,
        "range": {"low": derivation.port_range.low, "high": derivation.port_range.high},
        "reserved": len(derivation.reserved),
        "reserved_ports": format_ports(derivation.reserved),
        "blocked": len(derivation.blocked),
        "blocked_ports": _by_reason(derivation),
        "capacity": derivation.capacity,
        "held": derivation.held,
        "headroom": derivation.headroom,
        "headroom_min": derivation.headroom_min,
        "headroom_max": derivation.headroom_max,
        "occupancy": round(derivation.occupancy, 6),
        "states": {state.name: count for state, count in derivation.states.items()},
        "time_wait_reusable": derivation.time_wait_reusable,
        "free_even_offset": derivation.free_even_offset,
        "knee": derivation.knee,
        "probed": derivation.probed,
        "doubts": _doubts(derivation.doubts),
        "hopes": _doubts(derivation.hopes),
        "note": note,
    }


def _by_reason(derivation: Derivation) -> dict[str, str]:
    reasons = sorted(set(derivation.blocked.values()))
    return {why: format_ports(port for port, its in derivation.blocked.items() if its == why) for why in reasons}


def _doubts(doubts: Iterable[Doubt]) -> list[dict[str, Any]]:
    return [{"ports": doubt.ports, "why": doubt.why} for doubt in doubts]
