"""Bodies as columns."""

from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from collector.history.chunk import INSTANTS, NAMESPACES
from collector.history.codec import decode, encode
from collector.history.gather import Unreadable, gather, unpack
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


def encoded(snapshot: Snapshot, *, columns: dict[str, object] | None = None, totals: object = None) -> bytes:
    """A body with more in it than an agent of ours writes, or less: a column of None goes."""
    document = msgpack.unpackb(wire.encode(snapshot))
    document["columns"] |= columns or {}
    document["columns"] = {name: column for name, column in document["columns"].items() if column is not None}
    document["namespaces"][0]["totals"] |= totals or {}
    body: bytes = msgpack.packb(document)
    return body


def test_what_the_wire_lets_pass_is_no_trouble_here() -> None:
    """Columns and totals that nobody knows, an inode of 64 bits: a compaction that fell over them would for ever."""
    snapshot = a_snapshot(a_reading(9), namespaces=[replace(a_namespace(), inode=2**64 - 1)])
    strange: dict[str, object] = {"WEIRD": b"odd", "strange": 7}
    body = encoded(snapshot, columns=strange, totals={"UNHEARD_OF": "many"})
    assert wire.decode(body) == snapshot
    chunk = gather([unpack(1, NOON_MS, NOON_MS, body, {})], numbered(snapshot))
    assert chunk == gathered(snapshot)
    assert chunk.tables[NAMESPACES].column("inode").tolist() == [[-1]]


@pytest.mark.parametrize("columns", [{"held": None}, {"held": b"odd"}, {"TIME_WAIT": 7}, {"failures": b""}])
def test_columns_that_broke_after_they_were_checked_are_unreadable(columns: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        unpack(1, 0, 0, encoded(a_snapshot(a_reading(9)), columns=columns), {})


def test_owners_are_told_by_name_whatever_their_number_was() -> None:
    story = [
        a_snapshot(
            *(replace(a_reading(9, pool=a_pool(9001 + row)), owner=owner) for row, owner in enumerate(owners)),
            seq=seq,
            taken_at_ms=NOON_MS + seq,
        )
        for seq, owners in enumerate([("a", "b"), ("b", "a"), ("", ""), ("", "c")])
    ]
    assert kept(*story) == [plain(snapshot) for snapshot in story]
