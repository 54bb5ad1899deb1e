"""Bodies checked in C: never more is accepted than shared.wire accepts, and ordinary bodies are."""

import random
from dataclasses import fields, replace

import msgpack
import pytest

from collector.fleet.host import Reported
from collector.ingest import outline as fast
from collector.ingest.outline import outline
from shared import wire
from shared.model import AgentState, Snapshot, Unreadable
from shared.tcp import State
from shared.wire import WireError
from shared.wire.claims import claims_on
from tests.builders import a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.damage import LARGE, SEEDS, damaged

CASES = 50_000
USED = (
    "host",
    "boot_id",
    "seq",
    "taken_at_ms",
    "interval_ms",
    "agent_version",
    "labels",
    "failure",
    "machine_id",
    "uptime_ms",
)
STATES = {State.ESTABLISHED: 5, State.TIME_WAIT: 5}
ORDINARY = [
    a_snapshot(),
    a_failure(),
    a_snapshot(*(a_reading(pool=a_pool(port), states=STATES) for port in range(1, 80))),
    replace(a_snapshot(a_reading()), machine_id="0123456789abcdef" * 2, unreadable=(Unreadable(2, "no right"),)),
    replace(a_snapshot(a_reading()), machine_id="0123456789abcdef" * 2, uptime_ms=86_400_000),
    replace(a_snapshot(a_reading()), uptime_ms=1, unreadable=(Unreadable(2, "no right"),)),
    replace(a_snapshot(a_reading()), uptime_ms=5, state=AgentState(started_ms=1, why="no", features=("config",))),
    a_snapshot(replace(a_reading(), owner="haproxy", knee=True, failures=3)),
    a_snapshot(replace(a_reading(), recyclable=812)),
    a_snapshot(namespaces=[a_namespace(), a_namespace("pod")], labels={}),
    a_snapshot(namespaces=[replace(a_namespace(), claims=claims_on([22, 23, 8_000], 5)), a_namespace("pod")]),
]


def essence(snapshot: Reported) -> tuple[object, ...]:
    """What ingest uses of it."""
    state = snapshot.state
    told = {one.name: getattr(state, one.name) for one in fields(AgentState)} if state else None
    kept = told and {**told, "features": tuple(told["features"])}
    return (*(getattr(snapshot, name) for name in USED), kept)


@pytest.mark.parametrize("snapshot", ORDINARY)
def test_an_ordinary_body_is_read_here_once_its_pools_are_known(snapshot: Snapshot) -> None:
    body = wire.encode(snapshot)
    assert essence(outline(body)) == essence(wire.decode(body))
    found = fast._ordinary(body)
    assert found
    assert essence(found) == essence(snapshot)


def test_what_is_read_here_is_what_the_wire_reads() -> None:
    """Damage that stays unseen here would be stored, and could not be read again."""
    chance = random.Random(7)
    seeds = [*SEEDS, LARGE, *(wire.encode(snapshot) for snapshot in ORDINARY)]
    for seed in seeds:
        outline(seed)
    taken = 0
    for _ in range(CASES):
        body = damaged(chance.choice(seeds), chance)
        found = fast._ordinary(body)
        if found:
            taken += 1
            assert essence(found) == essence(wire.decode(body))
    assert taken > CASES // 200


@pytest.mark.parametrize(
    "change",
    [
        {"host": "<script>"},
        {"host": ""},
        {"host": "-lb1"},
        {"host": "lb1\n"},
        {"host": "lbé"},
        {"boot_id": ""},
        {"boot_id": ".a"},
        {"labels": {"": "a"}},
        {"labels": {"0role": "a"}},
        {"labels": {"rôle": "a"}},
        {"machine_id": ""},
        {"machine_id": "0123456789abcdeF" * 2},
        {"uptime_ms": 0},
        {"state": None},
        {"owners": []},
        {"agent": "a\nb"},
        {"labels": {"role": "a\nb"}},
        {"seq": 1.0},
        {"seq": True},
        {"identities": []},
        {"identities_hash": bytes(16)},
        {"columns": {}},
        {"machine_id": "x"},
        {"uptime_ms": -1},
        {"state": {"revision": 1}},
        {"more": 1},
        {"schema": 2},
    ],
)
def test_anything_unusual_is_left_to_the_wire(change: dict[str, object]) -> None:
    body = wire.encode(a_snapshot(a_reading()))
    outline(body)
    unusual = msgpack.packb(msgpack.unpackb(body) | change)
    assert fast._ordinary(unusual) is None


def test_a_key_twice_is_refused() -> None:
    body = wire.encode(a_snapshot(a_reading()))
    twice = bytes([body[0] + 1]) + body[1:] + b"\xa4host\xa3lb1"
    with pytest.raises(WireError, match="twice"):
        outline(twice)


def test_numbers_wider_than_they_need_be_are_no_harm() -> None:
    body = wire.encode(a_snapshot(a_reading()))
    wide = body.replace(b"\xa3seq\x01", b"\xa3seq\xcf" + (1).to_bytes(8, "big"))
    assert outline(wide).seq == 1
