"""Rows of numbers as planes of bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.chunk import CorruptChunk
from collector.history.planes import decode_rows, encode_rows, widths_of

ANY = st.integers(-(2**63), 2**63 - 1)
ROWS = st.integers(1, 30).flatmap(lambda n: st.lists(st.lists(ANY, min_size=n, max_size=n), min_size=1, max_size=4))


@given(ROWS)
def test_any_numbers_come_back(rows: list[list[int]]) -> None:
    firsts, codes, payloads = encode_rows(np.array(rows, np.int64))
    count = len(rows[0])
    assert [len(payload) for payload in payloads] == [(count - 1) * width for width in widths_of(codes.tobytes())]
    assert decode_rows(firsts, codes.tolist(), payloads, count).tolist() == rows


def test_what_does_not_change_takes_no_bytes() -> None:
    assert encode_rows(np.full((1, 1_000), 28_232))[2] == [b""]


def test_a_steady_climb_takes_one_byte_a_number() -> None:
    [payload] = encode_rows(np.arange(0, 100_000, 100)[None, :])[2]
    assert len(payload) == 999


def test_what_swings_is_written_as_distances() -> None:
    """A change from peak to trough is twice as large as the distance of either from the middle."""
    codes = encode_rows(np.array([[0, 90, -90, 90, -90]]))[1]
    assert widths_of(codes.tobytes()) == b"\x01"
    assert codes[0] < 8


@pytest.mark.parametrize("code", [5, 7, 13, 16, 255])
def test_an_unknown_code_is_refused(code: int) -> None:
    with pytest.raises(CorruptChunk, match=str(code)):
        widths_of(bytes([1, code]))
