"""A chunk as bytes, and back. Pure.

    "PGH1"  CRC-32 of all that follows  length of the header  header (zstd of msgpack)  frames

The header has the instants, the texts and, of each table, its keys, its columns and where each row's frame lies; a
frame is one row (zstd). So a read of one pool takes the header and inflates one frame, however large the chunk.
Integers are little-endian. No bytes whatever make a reader raise anything but CorruptChunk, or inflate more than the
header's counts, which are bounded, allow.
"""

import struct
import zlib
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any

import msgpack
import numpy as np
import zstandard
from numpy.typing import NDArray

from collector.history import chunk as bounds
from collector.history.chunk import Bools, Chunk, CorruptChunk, Ints, Row, Table
from collector.history.planes import decode_row, encode_rows, width_of
from collector.history.residual import needed, reduce, restore
from collector.history.zstd import inflate

MAGIC = b"PGH1"
LEVEL = 6
MAX_HEADER = 16 * 2**20
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
            self.times = _unpack(document["times"], 1, count)[0]
            self.texts = tuple(document["texts"])
            self._tables: dict[str, _Described] = {}
            start = 0
            for name, described in document["tables"].items():
                table = _Described(described, self.times, rest, start)
                self._tables[name], start = table, table.end
            if start != len(rest) or not all(isinstance(text, str) for text in self.texts):
                raise CorruptChunk("its frames do not end where it ends")

    def keys(self, table: str) -> Ints:
        """Which rows the table has; none where there is no such table."""
        found = self._tables.get(table)
        with _explained():
            return found.keys if found else np.zeros(0, np.int64)

    def row(self, table: str, key: int, wanted: Collection[str] | None = None) -> Row | None:
        """One row at the instants it was listed; None where the table has no such row. `wanted`: these columns only."""
        found = self._tables.get(table)
        with _explained():
            index = int(np.searchsorted(found.keys, key)) if found else 0
            if found is None or index == len(found.keys) or found.keys[index] != key:
                return None
            present, columns = found.row(index, wanted)
        return Row(self.times[present], {name: column[present] for name, column in columns.items()}, present)

    def chunk(self) -> Chunk:
        """All of it."""
        with _explained():
            return Chunk(self.times, self.texts, {name: table.whole() for name, table in self._tables.items()})


# --- tables ----------------------------------------------------------------------------------------------------------


def _encode_table(table: Table, squeeze: Callable[[bytes], bytes]) -> tuple[dict[str, Any], list[bytes]]:
    count, keys = len(table.columns), len(table.keys)
    reduced = {name: table.values[index] for index, name in enumerate(table.columns)}
    reduce(reduced)
    full = np.asarray(table.present.all(axis=1), np.bool_)
    rows = np.concatenate([_without_gaps(reduced[name], table.present, full) for name in table.columns] or [])
    firsts, codes, payloads = encode_rows(rows)
    frames, lengths = [], []
    for key in range(keys):
        mask = b"" if full[key] else np.packbits(table.present[key]).tobytes()
        plain = mask + b"".join(payloads[key::keys])
        packed = squeeze(plain) if plain else b""
        is_smaller = len(packed) < len(plain)
        frames.append(packed if is_smaller else plain)
        lengths.append(len(frames[-1]) << 1 | (_COMPRESSED if is_smaller else 0))
    described = {
        "columns": list(table.columns),
        "keys": _pack(table.keys[None, :]),
        "count": keys,
        "full": np.packbits(full).tobytes(),
        "firsts": _pack(firsts.reshape(count, keys)),
        "codes": codes.tobytes(),
        "lengths": np.array(lengths, "<u4").tobytes(),
    }
    return described, frames


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

    def __init__(self, described: Mapping[str, Any], times: Ints, rest: memoryview, start: int) -> None:
        self._described, self._times, self._rest = described, times, rest
        self.columns = tuple(str(name) for name in described["columns"])
        count, width = described["count"], len(self.columns)
        cells = count * width * len(times)
        if not (0 <= count <= bounds.MAX_KEYS and 1 <= width <= bounds.MAX_COLUMNS and cells <= bounds.MAX_CELLS):
            raise CorruptChunk("a table is larger than any that is written")
        lengths = np.frombuffer(described["lengths"], "<u4").astype(np.int64)
        if len(lengths) != count:
            raise CorruptChunk("a table has more or fewer frames than rows")
        self._is_compressed = (lengths & _COMPRESSED).astype(np.bool_)
        self._starts = start + np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths >> 1)])
        self.end = int(self._starts[-1])

    @cached_property
    def keys(self) -> Ints:
        """Of each row, ascending."""
        keys: Ints = _unpack(self._described["keys"], 1, len(self._is_compressed))[0]
        if (np.diff(keys) <= 0).any():
            raise CorruptChunk("a table's rows are not in order")
        return keys

    @cached_property
    def _full(self) -> Bools:
        packed = np.frombuffer(self._described["full"], np.uint8)
        full: Bools = np.unpackbits(packed, count=len(self.keys)).astype(np.bool_)
        return full

    @cached_property
    def _firsts(self) -> Ints:
        return _unpack(self._described["firsts"], len(self.columns), len(self.keys))

    @cached_property
    def _codes(self) -> NDArray[np.uint8]:
        codes = np.frombuffer(self._described["codes"], np.uint8)
        return codes.reshape(len(self.columns), len(self.keys))

    def row(self, index: int, wanted: Collection[str] | None = None) -> tuple[Bools, dict[str, Ints]]:
        """Where it is present, and its columns (those wanted, and what they need) with gaps filled."""
        count, codes = len(self._times), self._codes[:, index].tolist()
        sizes = [width_of(code) * (count - 1) for code in codes]
        mask = 0 if self._full[index] else -(-count // 8)
        frame = self._frame(index, mask + sum(sizes))
        present = np.ones(count, np.bool_)
        if mask:
            present = np.unpackbits(np.frombuffer(frame[:mask], np.uint8), count=count).astype(np.bool_)
        read = None if wanted is None else needed(wanted, self.columns)
        columns, at = {}, mask
        for name, first, code, size in zip(self.columns, self._firsts[:, index].tolist(), codes, sizes, strict=True):
            if read is None or name in read:
                columns[name] = decode_row(first, code, frame[at : at + size], count)
            at += size
        restore(columns)
        return present, columns

    def whole(self) -> Table:
        """Every row."""
        present = np.zeros((len(self.keys), len(self._times)), np.bool_)
        values = np.zeros((len(self.columns), *present.shape), np.int64)
        for index in range(len(self.keys)):
            present[index], columns = self.row(index)
            for number, name in enumerate(self.columns):
                values[number, index] = np.where(present[index], columns[name], 0)
        return Table(self.keys, self.columns, present, values)

    def _frame(self, index: int, size: int) -> memoryview:
        stored = self._rest[self._starts[index] : self._starts[index + 1]]
        frame = memoryview(inflate(stored, size)) if self._is_compressed[index] else stored
        if len(frame) != size:
            raise CorruptChunk("a frame has another length than its row")
        return frame


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


def _unpack(packed: Mapping[str, Any], rows: int, count: int) -> Ints:
    """Undo `_pack`."""
    if not rows * count:
        return np.zeros((rows, count), np.int64)
    firsts, codes = np.frombuffer(packed["firsts"], "<i8"), packed["codes"]
    if len(firsts) != rows or len(codes) != rows:
        raise CorruptChunk("a table has more or fewer columns than it names")
    made = np.repeat(firsts.astype(np.int64)[:, None], count, axis=1)
    data, at = memoryview(packed["rows"]), 0
    for number, code in enumerate(codes):
        if code:
            size = width_of(code) * (count - 1)
            made[number] = decode_row(int(firsts[number]), code, data[at : at + size], count)
            at += size
    if at != len(data):
        raise CorruptChunk("a column has another length than its table")
    return made


class _explained:  # noqa: N801 - used like contextlib's own
    """What msgpack, numpy and missing keys raise for bytes nobody wrote is CorruptChunk."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ValueError | TypeError | KeyError | IndexError | AttributeError | OverflowError):
            raise CorruptChunk(f"{type(error).__name__}: {error}") from None
        if isinstance(error, RecursionError | MemoryError):
            raise CorruptChunk(type(error).__name__) from None
