"""Chunks as values."""

import numpy as np

from collector.history.chunk import POOLS, Chunk, Row, empty_table
from tests.columns import a_chunk


def test_chunks_are_equal_where_all_their_numbers_are() -> None:
    assert a_chunk(held=[[1, 2]]) == a_chunk(held=[[1, 2]])
    assert a_chunk(held=[[1, 2]]) != a_chunk(held=[[1, 3]])
    assert a_chunk(held=[[1, 2]]) != a_chunk(held=[[1, None]])
    assert a_chunk(held=[[1, 2]]) != Chunk(np.array([1, 2]))


def test_a_column_nobody_wrote_is_nothing_but_zeros() -> None:
    assert a_chunk(held=[[1, 2]]).tables[POOLS].column("failures").tolist() == [[0, 0]]
    assert Row(np.array([1, 2]), {}, np.ones(2, np.bool_)).column("failures").tolist() == [0, 0]


def test_a_table_may_be_empty() -> None:
    assert empty_table(["held"], 3).values.shape == (1, 0, 3)
