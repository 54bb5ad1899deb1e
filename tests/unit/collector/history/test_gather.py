"""Bodies as columns."""

from dataclasses import replace
from pathlib import Path

import pytest

from collector.history.chunk import INSTANTS
from collector.history.codec import decode, encode
from collector.history.gather import Unreadable, unpack
from shared import wire
from shared.model import Kind, Reading, Remainder, Snapshot
from shared.tcp import State
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered, snapshots_of

GOLDEN = sorted((Path(__file__).parents[3] / "golden" / "wire").glob("v1_*.msgpack"))


def kept(*snapshots: Snapshot) -> list[Snapshot]:
    """What is left of them after a life in a chunk."""
    pools = {number: pool for pool, number in numbered(*snapshots).items()}
    return snapshots_of(decode(encode(gathered(*snapshots))), snapshots[0].host, pools)


def plain(snapshot: Snapshot) -> Snapshot:
    """The snapshot with its lists in order, and without what is of now only: what its agent says of itself, claims."""
    return replace(
        snapshot,
        state=None,
        namespaces=tuple(replace(namespace, claims=None) for namespace in snapshot.namespaces),
        readings=tuple(sorted(snapshot.readings, key=lambda reading: reading.pool)),
        labels=dict(snapshot.labels),
    )


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.name)
def test_nothing_a_snapshot_says_is_dropped(file: Path) -> None:
    snapshot = wire.decode(file.read_bytes())
    assert kept(snapshot) == [plain(snapshot)]


def test_snapshots_of_every_kind_share_a_chunk() -> None:
    story = [
        a_snapshot(a_reading(5), a_reading(7, pool=a_pool(9002)), seq=1),
        a_snapshot(a_reading(6), seq=2, taken_at_ms=NOON_MS + 10_000, labels={"role": "core"}),
        a_failure(seq=3, taken_at_ms=NOON_MS + 20_000),
        a_snapshot(
            Reading(a_pool(kind=Kind.BIND), 9, 300, 280, 291, {State.TIME_WAIT: 9}, 3, "haproxy.service", knee=True),
            seq=1,
            boot_id="boot-2",
            taken_at_ms=NOON_MS + 30_000,
            namespaces=[a_namespace(remainder=Remainder(2, 6, 5)), replace(a_namespace("pod"), settings={"x": 1})],
        ),
    ]
    assert kept(*story) == [plain(snapshot) for snapshot in story]


def test_the_order_of_arrival_does_not_matter() -> None:
    first, second = a_snapshot(a_reading(5), seq=1), a_snapshot(a_reading(6), seq=2, taken_at_ms=NOON_MS + 1)
    assert gathered(second, first) == gathered(first, second)


def test_a_clock_ahead_of_ours_is_remembered() -> None:
    snapshot = a_snapshot(a_reading(5), taken_at_ms=NOON_MS + 9_000)
    body = unpack(1, NOON_MS, NOON_MS, wire.encode(snapshot), {})
    assert body.taken_ms == NOON_MS
    chunk = gathered(snapshot)
    assert chunk.tables[INSTANTS].column("clock").tolist() == [[0]]


def test_what_cannot_be_read_says_why() -> None:
    for body in (b"", b"\x80", wire.encode(a_snapshot())[:-3], b"\x81\xa6schema\x63"):
        with pytest.raises(Unreadable):
            unpack(1, 0, 0, body, {})
