"""Chunks as bytes."""

import contextlib
import json
import struct
import tracemalloc
import zlib
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from collector.history import codec
from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk, CorruptChunk, Table
from collector.history.codec import Reader, decode, encode, rows_of
from tests.columns import a_chunk, a_table, with_rows_unreadable
from tests.golden.record_history import document_of

GOLDEN = Path(__file__).parents[3] / "golden" / "history"
COLUMNS = ("held", "capacity", "headroom_min", "headroom_max", "ESTABLISHED", "TIME_WAIT", "failures", "held.min")
NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 65_535), st.integers(-(2**63), 2**63 - 1))


@st.composite
def tables(draw: st.DrawFn, instants: int) -> Table:
    names = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=8, unique=True))
    keys = sorted(draw(st.sets(st.integers(0, 2**40), max_size=5)))
    present = draw(arrays.arrays(np.bool_, (len(keys), instants)))
    values = draw(arrays.arrays(np.int64, (len(names), len(keys), instants), elements=NUMBERS))
    return Table(np.array(keys, np.int64), tuple(names), present, np.where(present, values, 0))


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    instants = draw(st.integers(1, 20))
    times = np.array(sorted(draw(st.lists(st.integers(0, 2**52), min_size=instants, max_size=instants))), np.int64)
    names = draw(st.sets(st.sampled_from((INSTANTS, NAMESPACES, POOLS))))
    texts = tuple(draw(st.lists(st.text(max_size=5), max_size=3)))
    return Chunk(times, texts, {name: draw(tables(instants)) for name in sorted(names)})


@given(chunks())
def test_any_chunk_comes_back(chunk: Chunk) -> None:
    assert decode(encode(chunk)) == chunk


@given(chunks())
def test_a_row_alone_is_what_it_is_in_the_whole(chunk: Chunk) -> None:
    reader = Reader(encode(chunk))
    for name, table in chunk.tables.items():
        assert reader.keys(name).tolist() == table.keys.tolist()
        for index, key in enumerate(table.keys.tolist()):
            row = reader.row(name, key)
            assert row
            present = table.present[index]
            assert row.times.tolist() == chunk.times[present].tolist()
            for number, column in enumerate(table.columns):
                values = table.values[number, index, present].tolist()
                assert row.columns[column].tolist() == values
                alone = reader.row(name, key, [column])
                assert alone
                assert alone.columns[column].tolist() == values


@given(st.lists(chunks(), max_size=4), st.sampled_from((NAMESPACES, POOLS)), st.integers(0, 5), st.booleans())
def test_rows_of_many_chunks_are_those_of_each(some: list[Chunk], name: str, place: int, held_only: bool) -> None:
    bodies = [encode(chunk) for chunk in [*some, *some]]
    keys = [([*chunk.tables[name].keys.tolist(), 7] if name in chunk.tables else [7]) for chunk in [*some, *some]]
    wanted = [mine[place % len(mine)] for mine in keys]
    columns = ["held"] if held_only else None
    together = rows_of([Reader(body) for body in bodies], name, wanted, columns)
    for row, body, key in zip(together, bodies, wanted, strict=True):
        alone = Reader(body).row(name, key, columns)
        assert (row is None) == (alone is None)
        if row and alone:
            assert row.times.tolist() == alone.times.tolist()
            assert row.present.tolist() == alone.present.tolist()
            assert {one: row.columns[one].tolist() for one in row.columns} == {
                one: alone.columns[one].tolist() for one in alone.columns
            }


def test_of_many_chunks_one_that_cannot_be_read_is_enough_to_refuse() -> None:
    good = encode(a_chunk(held=[[5, 6, 7]]))
    with pytest.raises(CorruptChunk, match="code"):
        rows_of([Reader(good), Reader(with_rows_unreadable(good))], POOLS, [1, 1])


def test_a_large_chunk_is_decoded_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "AT_ONCE", 7)
    chunk = a_chunk(held=[[number, None, 5 * number] for number in range(20)])
    assert decode(encode(chunk)) == chunk


def test_a_row_that_is_not_there_is_none() -> None:
    reader = Reader(encode(a_chunk(keys=[3, 7], held=[[1], [2]])))
    assert [reader.row(POOLS, key) is None for key in (0, 3, 5, 7, 9)] == [True, False, True, False, True]
    assert reader.row("nothing", 3) is None
    assert reader.keys("nothing").tolist() == []


def test_a_gap_is_a_gap() -> None:
    row = Reader(encode(a_chunk(held=[[5, None, None, 7]]))).row(POOLS, 1)
    assert row
    assert row.columns["held"].tolist() == [5, 7]
    assert (np.diff(row.times) == 30_000).all()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    with pytest.raises(CorruptChunk):
        decode(body)


BODY = encode(a_chunk(texts=["haproxy"], held=[[5, None, 9], [1, 2, 3]], capacity=[[9, 9, 9], [9, 9, 8]]))


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, flip: int) -> None:
    broken = bytearray(BODY)
    broken[place] ^= flip
    with pytest.raises(CorruptChunk):
        Reader(bytes(broken))


def sealed(rest: bytes) -> bytes:
    """Bytes with a checksum that is right."""
    return struct.pack("<4sII", b"PGH1", zlib.crc32(rest), len(rest)) + rest


@given(st.integers(0, len(BODY) - 13), st.binary(min_size=1, max_size=8))
def test_bytes_with_a_good_checksum_raise_nothing_but_what_is_told(place: int, new: bytes) -> None:
    rest = bytearray(BODY[12:])
    rest[place : place + len(new)] = new
    with contextlib.suppress(CorruptChunk):
        decode(sealed(bytes(rest)))


SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.text(max_size=3), st.binary(max_size=20), st.none(), st.floats()
)


@given(st.data())
def test_a_header_with_any_values_raises_nothing_but_what_is_told(data: st.DataObject) -> None:
    size = struct.unpack_from("<I", BODY, 16)[0]
    document = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(BODY[20 : 20 + size]))
    place = data.draw(st.sampled_from([document, document["times"], document["tables"], document["tables"][POOLS]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(st.one_of(SCALARS, st.lists(SCALARS, max_size=3)))
    header = zstandard.ZstdCompressor().compress(msgpack.packb(document))
    with contextlib.suppress(CorruptChunk):
        decode(sealed(BODY[12:16] + struct.pack("<I", len(header)) + header + BODY[20 + size :]))


@pytest.mark.parametrize("instants", [3, 100_000])
def test_a_bomb_is_refused_before_it_inflates(instants: int) -> None:
    header = zstandard.ZstdCompressor().compress(bytes(200 * 2**20))
    tracemalloc.start()
    with pytest.raises(CorruptChunk, match="inflates"):
        decode(sealed(struct.pack("<II", instants, len(header)) + header))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_chunk_without_instants_is_not_written() -> None:
    with pytest.raises(ValueError, match="instants"):
        encode(Chunk(np.zeros(0, np.int64)))


def test_a_calm_fleet_costs_far_less_than_a_byte_a_number() -> None:
    steady = [[100 + pool] * 60 for pool in range(50)]
    body = encode(a_chunk(held=steady, ESTABLISHED=steady, capacity=[[28_232] * 60] * 50))
    assert len(body) < 50 * 60 * 0.2


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.pgh")), ids=lambda file: file.name)
def test_chunks_of_every_version_decode_for_ever(file: Path) -> None:
    assert document_of(decode(file.read_bytes())) == json.loads(file.with_suffix(".json").read_text())


def test_a_table_keeps_several_columns() -> None:
    chunk = Chunk(np.array([1, 2]), (), {POOLS: a_table(held=[[1, 2]], capacity=[[3, 4]])})
    assert decode(encode(chunk)) == chunk
