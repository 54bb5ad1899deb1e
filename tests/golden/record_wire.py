"""Write golden bodies of the newest schema: `python -m tests.golden.record_wire`. Old ones are never written anew."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from shared.model import AgentState, Claims, Kind, Namespace, Pool, Reading, Remainder, Snapshot, Unreadable
from shared.ports import PortRange
from shared.tcp import State
from shared.wire import SCHEMA, encode

HERE = Path(__file__).parent / "wire"
LOOP = bytes([127, 0, 0, 1])


def main() -> None:
    """A body with readings of every kind, and those of an agent that is blind, failing, named or timed."""
    HERE.mkdir(exist_ok=True)
    namespaces = (
        Namespace(
            name="host",
            inode=4_026_531_840,
            port_range=PortRange(40_000, 40_299),
            reserved=2,
            blocked=1,
            settings={"tcp_tw_reuse": 2},
            totals={State.ESTABLISHED: 265},
            remainder=Remainder(1, 3, 3),
        ),
        Namespace(name="pod", inode=4_026_532_000, port_range=PortRange(32_768, 60_999), reserved=0, blocked=0),
    )
    readings = (
        Reading(
            Pool("host", Kind.CONNECT, LOOP, LOOP, 9001), 262, 297, 30, 35, {State.ESTABLISHED: 255, State.TIME_WAIT: 7}
        ),
        Reading(Pool("pod", Kind.CONNECT, bytes(15) + b"\1", bytes(15) + b"\2", 443), 1, 28_232, 28_231, 28_231),
        Reading(Pool("pod", Kind.BIND, LOOP), 5, 28_232, 28_227, 28_227),
        Reading(Pool("host", Kind.UDP, b""), 6, 297, 291, 291),
    )
    whole = Snapshot(
        host="lb-eu-17",
        boot_id="0f0e0d0c.a1b2c3d4",
        seq=7,
        taken_at_ms=1_795_338_000_000,
        agent_version="0.1.0",
        interval_ms=10_000,
        labels={"role": "edge"},
        namespaces=namespaces,
        readings=readings,
    )
    blind = Snapshot(
        host="lb-eu-18",
        boot_id="b",
        seq=8,
        taken_at_ms=1_795_338_010_000,
        agent_version="0.1.0",
        interval_ms=10_000,
        failure="the kernel refused to list sockets",
    )
    failing = replace(
        whole,
        seq=9,
        readings=(
            replace(
                readings[0], held=297, headroom_min=0, headroom_max=0, failures=412, owner="haproxy.service, pid 1312"
            ),
            replace(readings[1], owner="pod 0f0e0d0c… container 8d3f2a1b9c0d"),
            *readings[2:],
        ),
    )
    partial = replace(whole, seq=10, unreadable=(Unreadable(2, "needs CAP_SYS_ADMIN"), Unreadable(0, "hidepid")))
    named = replace(whole, seq=11, machine_id="7a3a446749fb4d37aa487308ce227768")
    bodies = {"whole": whole, "blind": blind, "failing": failing, "partial": partial, "named": named}
    bodies["timed"] = replace(whole, seq=12, uptime_ms=86_400_123)
    state = AgentState(
        started_ms=1_795_337_000_000, cpu_ms=412, dropped=3, revision=7, failed=8, why="labels: need fewer"
    )
    bodies["stated"] = replace(whole, seq=13, state=replace(state, features=("config", "enrol")))
    claims = Claims((PortRange(22, 22), PortRange(8_000, 8_003)), 1_795_000_000_000)
    bodies["claiming"] = replace(whole, seq=14, namespaces=(replace(namespaces[0], claims=claims), namespaces[1]))
    bodies["recycling"] = replace(whole, seq=15, readings=(replace(readings[0], recyclable=5), *readings[1:]))
    for name, snapshot in bodies.items():
        write(HERE / f"v{SCHEMA}_{name}.msgpack", snapshot)


def write(path: Path, snapshot: Snapshot) -> None:
    """The body, and beside it what it says."""
    if path.exists():
        return
    path.write_bytes(encode(snapshot))
    told: dict[str, Any] = {
        "host": snapshot.host,
        "seq": snapshot.seq,
        "namespaces": [namespace.name for namespace in snapshot.namespaces],
        "readings": [[str(one.pool), one.held, one.capacity] for one in snapshot.readings],
        "failure": snapshot.failure,
    }
    additions = [[one.failures, one.owner] for one in snapshot.readings]
    if any(failures or owner for failures, owner in additions):
        told["failures_and_owners"] = additions
    if any(one.recyclable for one in snapshot.readings):
        told["recyclable"] = [one.recyclable for one in snapshot.readings]
    if snapshot.unreadable:
        told["unreadable"] = [[one.namespaces, one.why] for one in snapshot.unreadable]
    if snapshot.machine_id:
        told["machine_id"] = snapshot.machine_id
    if snapshot.uptime_ms:
        told["uptime_ms"] = snapshot.uptime_ms
    claims = [
        None if one.claims is None else [one.claims.since_ms, sorted(one.claims.ports)] for one in snapshot.namespaces
    ]
    if any(claims):
        told["claims"] = claims
    if snapshot.state:
        told["state"] = asdict(snapshot.state) | {"features": list(snapshot.state.features)}
    path.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
