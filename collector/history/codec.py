"""A chunk as bytes, and back. Pure.

    "PGH1"  CRC-32 of all that follows  length of the header  header (zstd of msgpack)  frames

The header has the instants, the texts and, of each table, its keys, its columns and where each row's frame lies; a
frame is one row (zstd). So a read of one pool takes the header and inflates one frame, however large the chunk.
Integers are little-endian. No bytes whatever make a reader raise anything but CorruptChunk, or inflate more than the
header's counts, which are bounded, allow.
"""

import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import msgpack
import numpy as np
import zstandard
from numpy.typing import NDArray

from collector.history import chunk as bounds
from collector.history.chunk import Bools, Chunk, CorruptChunk, Ints, Row, Table
from collector.history.planes import decode_rows, encode_rows, widths_of
from collector.history.residual import needed, reduce, restore
from collector.history.zstd import inflate

MAGIC = b"PGH1"
LEVEL = 6
MAX_HEADER = 16 * 2**20
AT_ONCE = 2**16
"""Numbers encoded or decoded together: more gains nothing, and takes several times their room."""
_HEAD = struct.Struct("<4sII")
_SIZES = struct.Struct("<II")
_COMPRESSED = 1
"""The lowest bit of a frame's length: the rest is the length, shifted. Small frames only grow by compression."""


def encode(chunk: Chunk) -> bytes:
    """The chunk as bytes: `decode` answers an equal one."""
    if not 1 <= len(chunk.times) <= bounds.MAX_INSTANTS:
        raise ValueError(f"a chunk has 1 to {bounds.MAX_INSTANTS} instants, not {len(chunk.times)}")
    squeeze = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False).compress
    tables, frames = {}, []
    for name, table in chunk.tables.items():
        tables[name], made = _encode_table(table, squeeze)
        frames += made
    document = {"times": _pack(chunk.times[None, :]), "texts": list(chunk.texts), "tables": tables}
    header = squeeze(msgpack.packb(document, use_bin_type=True))
    rest = b"".join([_SIZES.pack(len(chunk.times), len(header)), header, *frames])
    return _HEAD.pack(MAGIC, zlib.crc32(rest), len(rest)) + rest


def decode(body: bytes) -> Chunk:
    """The whole chunk. Raises CorruptChunk."""
    return Reader(body).chunk()


class Reader:
    """One chunk, of which single rows are read. Raises CorruptChunk, on opening or on reading."""

    def __init__(self, body: bytes) -> None:
        rest, count, header = _opened(body)
        with _explained():
            document = msgpack.unpackb(header, raw=False, strict_map_key=True, max_ext_len=0)
            self.packed_times = _Packed(document["times"], 1, count)
            self.texts = tuple(document["texts"])
            self.tables: dict[str, _Described] = {}
            start = 0
            for name, described in document["tables"].items():
                table = _Described(described, count, rest, start)
                self.tables[name], start = table, table.end
            if start != len(rest) or not all(isinstance(text, str) for text in self.texts):
                raise CorruptChunk("its frames do not end where it ends")

    def keys(self, table: str) -> Ints:
        """Which rows the table has; none where there is no such table."""
        found = self.tables.get(table)
        with _explained():
            return found.keys if found else np.zeros(0, np.int64)

    def row(self, table: str, key: int, wanted: Collection[str] | None = None) -> Row | None:
        """One row at the instants it was listed; None where the table has no such row. `wanted`: these columns only."""
        return rows_of([self], table, [key], wanted)[0]

    def chunk(self) -> Chunk:
        """All of it."""
        with _explained():
            times = self.packed_times.numbers[0]
            return Chunk(times, self.texts, {name: table.whole() for name, table in self.tables.items()})


def rows_of(
    readers: Sequence[Reader], table: str, keys: Sequence[int], wanted: Collection[str] | None = None
) -> list[Row | None]:
    """As `Reader.row` of each with its key. Raises CorruptChunk where any of them cannot be read.

    What is alike is decoded together: numpy takes as long to be called as it takes for hundreds of numbers.
    """
    with _explained():
        tables = [reader.tables.get(table) for reader in readers]
        _unpack([reader.packed_times for reader in readers] + [one for mine in tables if mine for one in mine.packed])
        rows: list[Row | None] = [None] * len(readers)
        alike: dict[tuple[int, tuple[str, ...]], dict[int, _Places]] = defaultdict(dict)
        for number, (mine, key) in enumerate(zip(tables, keys, strict=True)):
            if mine and (index := mine.index_of(key)) is not None:
                alike[mine.instants, mine.columns][number] = mine, [index]
        for places in alike.values():
            present, columns = _read(list(places.values()), wanted)
            for at, number in enumerate(places):
                own = {name: column[at] for name, column in columns.items()}
                rows[number] = _row(readers[number].packed_times.numbers[0], present[at], own)
        return rows


def _row(times: Ints, present: Bools, columns: dict[str, Ints]) -> Row:
    if present.all():
        return Row(times, columns, present)
    return Row(times[present], {name: column[present] for name, column in columns.items()}, present)


# --- tables ----------------------------------------------------------------------------------------------------------


def _encode_table(table: Table, squeeze: Callable[[bytes], bytes]) -> tuple[dict[str, Any], list[bytes]]:
    count, keys = len(table.columns), len(table.keys)
    full = np.asarray(table.present.all(axis=1), np.bool_)
    firsts, codes = np.zeros((count, keys), np.int64), np.zeros((count, keys), np.uint8)
    frames, lengths = [], []
    for some in _some_at_once(keys, count * table.present.shape[1]):
        firsts[:, some], codes[:, some], payloads = _encode_some(table, some, full[some])
        for key in range(some.start, some.stop):
            mask = b"" if full[key] else np.packbits(table.present[key]).tobytes()
            plain = mask + b"".join(payloads[key - some.start :: some.stop - some.start])
            packed = squeeze(plain) if plain else b""
            is_smaller = len(packed) < len(plain)
            frames.append(packed if is_smaller else plain)
            lengths.append(len(frames[-1]) << 1 | (_COMPRESSED if is_smaller else 0))
    described = {
        "columns": list(table.columns),
        "keys": _pack(table.keys[None, :]),
        "count": keys,
        "full": np.packbits(full).tobytes(),
        "firsts": _pack(firsts),
        "codes": codes.tobytes(),
        "lengths": np.array(lengths, "<u4").tobytes(),
    }
    return described, frames


def _encode_some(table: Table, some: slice, full: Bools) -> tuple[Ints, NDArray[np.uint8], list[bytes]]:
    """First numbers and codes, (columns, rows), and a payload a column and row: of these rows only."""
    shape = len(table.columns), some.stop - some.start
    reduced = {name: table.values[index, some] for index, name in enumerate(table.columns)}
    reduce(reduced)
    firsts, codes, payloads = encode_rows(
        np.concatenate([_without_gaps(reduced[name], table.present[some], full) for name in table.columns])
    )
    return firsts.reshape(shape), codes.reshape(shape), payloads


def _some_at_once(rows: int, numbers: int) -> Iterator[slice]:
    """Stretches of the rows, each of so many numbers, that may be treated together."""
    step = max(1, AT_ONCE // max(1, numbers))
    return (slice(at, min(at + step, rows)) for at in range(0, rows, step))


def _without_gaps(column: Ints, present: Bools, full: Bools) -> Ints:
    """Gaps repeat what stood before them, which costs nothing; the mask tells them apart."""
    if full.all():
        return column
    places = np.where(present, np.arange(present.shape[1]), 0)
    last = np.maximum.accumulate(places, axis=1)
    first = present.argmax(axis=1)[:, None]
    return np.take_along_axis(column, np.maximum(last, first), axis=1)


class _Described:
    """One table of a chunk that is read. What a question does not touch is not unpacked."""

    def __init__(self, described: Mapping[str, Any], instants: int, rest: memoryview, start: int) -> None:
        self._described, self.instants, self._rest, self._start = described, instants, rest, start
        self.columns = tuple(str(name) for name in described["columns"])
        count, width = described["count"], len(self.columns)
        cells = count * width * instants
        if not (0 <= count <= bounds.MAX_KEYS and 1 <= width <= bounds.MAX_COLUMNS and cells <= bounds.MAX_CELLS):
            raise CorruptChunk("a table is larger than any that is written")
        self._lengths = np.frombuffer(described["lengths"], "<u4")
        if len(self._lengths) != count:
            raise CorruptChunk("a table has more or fewer frames than rows")
        self.end = start + int((self._lengths >> 1).sum(dtype=np.int64))
        self.packed = (_Packed(described["keys"], 1, count), _Packed(described["firsts"], width, count))
        """Keys and first numbers."""

    @cached_property
    def keys(self) -> Ints:
        """Of each row, ascending."""
        keys: Ints = self.packed[0].numbers[0]
        if (keys[1:] <= keys[:-1]).any():
            raise CorruptChunk("a table's rows are not in order")
        return keys

    def index_of(self, key: int) -> int | None:
        """Where the row of this key stands."""
        index = int(np.searchsorted(self.keys, key))
        return index if index < len(self.keys) and self.keys[index] == key else None

    @property
    def firsts(self) -> Ints:
        """(columns, rows)."""
        return self.packed[1].numbers

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """(columns, rows)."""
        codes = np.frombuffer(self._described["codes"], np.uint8)
        return codes.reshape(len(self.columns), len(self.keys))

    def whole(self) -> Table:
        """Every row."""
        present = np.zeros((len(self.keys), self.instants), np.bool_)
        values = np.zeros((len(self.columns), *present.shape), np.int64)
        for some in _some_at_once(len(self.keys), len(self.columns) * self.instants):
            present[some], columns = _read([(self, range(some.start, some.stop))], None)
            for number, name in enumerate(self.columns):
                values[number, some] = np.where(present[some], columns[name], 0)
        return Table(self.keys, self.columns, present, values)

    @cached_property
    def full(self) -> Bools:
        """Which rows are present throughout."""
        packed = np.frombuffer(self._described["full"], np.uint8)
        full: Bools = np.unpackbits(packed, count=len(self.keys)).astype(np.bool_)
        return full

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((self._lengths >> 1).tolist(), initial=self._start))

    def frame(self, index: int, size: int) -> memoryview:
        """What is written of a row, inflated."""
        stored = self._rest[self._starts[index] : self._starts[index + 1]]
        frame = memoryview(inflate(stored, size)) if self._lengths[index] & _COMPRESSED else stored
        if len(frame) != size:
            raise CorruptChunk("a frame has another length than its row")
        return frame


_Places = tuple[_Described, Sequence[int]]
"""Rows: their table, and where in it."""


def _read(places: Sequence[_Places], wanted: Collection[str] | None) -> tuple[Bools, dict[str, Ints]]:
    """Where each row is present, and the columns (those wanted, and what they need) with gaps filled: (rows, instants).

    The rows' tables have the same columns and as many instants.
    """
    table, _ = places[0]
    read = set(table.columns) if wanted is None else needed(wanted, table.columns)
    chosen = [number for number, name in enumerate(table.columns) if name in read]
    firsts = np.concatenate([one.firsts[:, indices] for one, indices in places], axis=1)
    codes = np.concatenate([one.codes[:, indices] for one, indices in places], axis=1)
    present, payloads = _parts(places, codes, chosen)
    rows = decode_rows(firsts[chosen].T.ravel(), codes[chosen].T.ravel().tolist(), payloads, table.instants)
    rows = rows.reshape(len(present), len(chosen), table.instants)
    columns = {table.columns[number]: rows[:, at] for at, number in enumerate(chosen)}
    restore(columns)
    return present, columns


def _parts(
    places: Sequence[_Places], codes: NDArray[np.uint8], chosen: Sequence[int]
) -> tuple[Bools, list[memoryview]]:
    """Where each row is present, (rows, instants); row by row, the payloads of the chosen columns."""
    count = places[0][0].instants
    full = np.concatenate([one.full[indices] for one, indices in places])
    masks = np.where(full, 0, -(-count // 8))
    widths = np.frombuffer(widths_of(codes.tobytes()), np.uint8).reshape(codes.shape)
    ends = masks + np.cumsum(widths, axis=0, dtype=np.int64) * (count - 1)
    present, payloads = np.ones((len(full), count), np.bool_), list[memoryview]()
    rows = ((one, index) for one, indices in places for index in indices)
    for place, ((one, index), (mask, *stops)) in enumerate(zip(rows, np.vstack([masks, ends]).T.tolist(), strict=True)):
        frame, starts = one.frame(index, stops[-1]), (mask, *stops)
        if mask:
            present[place] = np.unpackbits(np.frombuffer(frame[:mask], np.uint8), count=count)
        payloads += [frame[starts[number] : stops[number]] for number in chosen]
    return present, payloads


# --- bytes -----------------------------------------------------------------------------------------------------------


def _opened(body: bytes) -> tuple[memoryview, int, bytes]:
    """(what follows the header, how many instants, the header inflated)."""
    if len(body) < _HEAD.size + _SIZES.size:
        raise CorruptChunk("it is too short")
    magic, checksum, length = _HEAD.unpack_from(body)
    rest = memoryview(body)[_HEAD.size :]
    if magic != MAGIC:
        raise CorruptChunk("it does not begin like one")
    if length != len(rest) or zlib.crc32(rest) != checksum:
        raise CorruptChunk("its checksum does not match")
    count, size = _SIZES.unpack_from(rest)
    if not 1 <= count <= bounds.MAX_INSTANTS or size > len(rest) - _SIZES.size:
        raise CorruptChunk("its header has no possible length")
    end = _SIZES.size + size
    return rest[end:], count, inflate(rest[_SIZES.size : end], MAX_HEADER)


def _pack(rows: Ints) -> dict[str, Any]:
    """Rows of whole numbers inside the header."""
    if not rows.size:
        return {"firsts": b"", "codes": b"", "rows": b""}
    firsts, codes, payloads = encode_rows(rows)
    return {"firsts": firsts.astype("<i8").tobytes(), "codes": codes.tobytes(), "rows": b"".join(payloads)}


class _Packed:
    """Undo `_pack`: (rows, count), unpacked when it is asked for."""

    def __init__(self, packed: Mapping[str, Any], rows: int, count: int) -> None:
        self.packed, self.rows, self.count = packed, rows, count

    @cached_property
    def numbers(self) -> Ints:
        """The rows."""
        return _unpacked([self])[0]


def _unpack(several: Sequence[_Packed]) -> None:
    """Have the rows of all of them at hand."""
    for one, numbers in zip(several, _unpacked(several), strict=True):
        one.numbers = numbers


def _unpacked(several: Sequence[_Packed]) -> list[Ints]:
    made = {}
    alike: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(several):
        alike[one.count].append(place)
    for count, places in alike.items():
        some = [several[place] for place in places]
        rows = _rows(some, count) if count else np.zeros((sum(one.rows for one in some), 0), np.int64)
        ends = _ends([one.rows for one in some])
        made.update({place: rows[end - one.rows : end] for place, one, end in zip(places, some, ends, strict=True)})
    return [made[place] for place in range(len(several))]


def _rows(several: Sequence[_Packed], count: int) -> Ints:
    """The rows of all of them, one after another."""
    firsts, codes, payloads = [], b"", list[memoryview]()
    for one in several:
        mine, data = one.packed["codes"], memoryview(one.packed["rows"])
        firsts.append(np.frombuffer(one.packed["firsts"], "<i8"))
        if len(firsts[-1]) != one.rows or len(mine) != one.rows:
            raise CorruptChunk("a table has more or fewer columns than it names")
        sizes = [width * (count - 1) for width in widths_of(mine)]
        if sum(sizes) != len(data):
            raise CorruptChunk("a column has another length than its table")
        payloads += [data[end - size : end] for end, size in zip(_ends(sizes), sizes, strict=True)]
        codes += mine
    return decode_rows(np.concatenate(firsts).astype(np.int64), codes, payloads, count)


def _ends(sizes: Sequence[int], start: int = 0) -> list[int]:
    """Where pieces of these sizes end that stand one after another."""
    return list(accumulate(sizes, initial=start))[1:]


class _explained:  # noqa: N801 - used like contextlib's own
    """What msgpack, numpy and missing keys raise for bytes nobody wrote is CorruptChunk."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ValueError | TypeError | KeyError | IndexError | AttributeError | OverflowError):
            raise CorruptChunk(f"{type(error).__name__}: {error}") from None
        if isinstance(error, RecursionError | MemoryError):
            raise CorruptChunk(type(error).__name__) from None
