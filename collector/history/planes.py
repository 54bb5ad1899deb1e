"""Rows of whole numbers as few bytes, and back. Pure.

A row becomes its first number and, of the others, either the change from one to the next or the distance from the
first, whichever is smaller in sum; zigzag (0, −1, 1, −2 … as 0, 1, 2, 3 …), as many bytes as the largest needs, and
these plane by plane: all lowest bytes, then all second ones. What hardly changes becomes runs of zeros.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import CorruptChunk, Ints

WIDTHS = (0, 1, 2, 4, 8)
"""Bytes a number, by the lower bits of a row's code."""
_DELTA = 8
"""The bit of a code that says: changes, not distances."""
_NONE = 255
_WIDTHS = bytes(WIDTHS[code & ~_DELTA] if code & ~_DELTA < len(WIDTHS) else _NONE for code in range(256))
"""The width of each code."""
_LIMITS = np.array([0, 2**8 - 1, 2**16 - 1, 2**32 - 1], np.uint64)


def encode_rows(rows: Ints) -> tuple[Ints, NDArray[np.uint8], list[bytes]]:
    """(rows, n) as (first numbers, codes, a payload a row). n is at least 1."""
    changes, distances = np.diff(rows, axis=1), rows[:, 1:] - rows[:, :1]
    by_change = np.abs(changes).sum(axis=1) <= np.abs(distances).sum(axis=1)
    numbers = _zigzag(np.where(by_change[:, None], changes, distances))
    widths = np.searchsorted(_LIMITS, numbers.max(axis=1, initial=0), side="left").astype(np.uint8)
    codes = widths | np.where(by_change & (widths > 0), _DELTA, 0).astype(np.uint8)
    return rows[:, 0].copy(), codes, _payloads(numbers, widths)


def widths_of(codes: bytes) -> bytes:
    """Bytes a number of rows with these codes. Raises CorruptChunk."""
    widths = codes.translate(_WIDTHS)
    if _NONE in widths:
        raise CorruptChunk(f"no row has the code {codes[widths.index(_NONE)]}")
    return widths


def decode_rows(firsts: Ints, codes: Sequence[int], payloads: Sequence[bytes | memoryview], count: int) -> Ints:
    """Undo `encode_rows`: (rows, count). Each payload has exactly (count - 1) * widths_of(its code) bytes.

    Rows of one code are decoded together: numpy takes as long to be called as it takes for hundreds of numbers.
    """
    rows = np.repeat(firsts[:, None], count, axis=1)
    places: dict[int, list[int]] = defaultdict(list)
    for place, code in enumerate(codes):
        if code:
            places[code].append(place)
    for code, some in places.items():
        width = WIDTHS[code & ~_DELTA]
        if width:
            planes = np.frombuffer(b"".join([payloads[place] for place in some]), np.uint8)
            numbers = planes.reshape(len(some), width, count - 1).swapaxes(1, 2)
            changes = _unzigzag(np.ascontiguousarray(numbers).view(f"<u{width}")[:, :, 0].astype(np.uint64))
            rows[some, 1:] += np.cumsum(changes, axis=1) if code & _DELTA else changes
    return rows


def _payloads(numbers: NDArray[np.uint64], widths: NDArray[np.uint8]) -> list[bytes]:
    """Of each row its planes; the widths as places in WIDTHS. Rows of one width are made together."""
    made = [b""] * len(numbers)
    for place, width in enumerate(WIDTHS):
        some = np.flatnonzero(widths == place)
        if not width or not some.size:
            continue
        planes = numbers[some].astype(f"<u{width}").view(np.uint8).reshape(len(some), -1, width).swapaxes(1, 2)
        data, size = planes.tobytes(), width * numbers.shape[1]
        for at, row in enumerate(some.tolist()):
            made[row] = data[at * size : (at + 1) * size]
    return made


def _zigzag(numbers: Ints) -> NDArray[np.uint64]:
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def _unzigzag(numbers: NDArray[np.uint64]) -> Ints:
    return (numbers >> np.uint64(1)).view(np.int64) ^ -(numbers & np.uint64(1)).view(np.int64)
