"""Closed windows become chunks."""

from dataclasses import dataclass

import pytest

from collector.history import codec
from collector.history.settle import NotItself, closed_before, proven, settled, windows
from collector.history.tiers import MINUTE_MS, RAW
from shared import wire
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.columns import a_chunk


@dataclass(frozen=True)
class Row:
    id: int
    host_id: int
    received_ms: int
    taken_ms: int
    body: bytes


def a_row(seq: int, after_ms: int = 0, *, host_id: int = 1, body: bytes | None = None) -> Row:
    at_ms = NOON_MS + after_ms
    told = wire.encode(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=at_ms))
    return Row(seq, host_id, at_ms, at_ms, told if body is None else body)


def test_a_window_is_closed_a_while_after_its_end() -> None:
    assert closed_before(NOON_MS) == NOON_MS - RAW.span_ms
    assert closed_before(NOON_MS + MINUTE_MS) == NOON_MS


def test_rows_are_put_by_host_and_window_and_what_cannot_be_read_apart() -> None:
    found = windows([a_row(1), a_row(2, RAW.span_ms), a_row(3, host_id=2), a_row(4, body=b"?")])
    assert found.bodies.keys() == {(1, NOON_MS), (1, NOON_MS + RAW.span_ms), (2, NOON_MS)}
    assert found.unreadable.keys() == {4}
    assert found.pools == {1: {a_pool()}, 2: {a_pool()}}


def test_what_a_chunk_held_before_is_counted_once() -> None:
    ids = {1: {a_pool(): 1}}
    first = settled(windows([a_row(1)]), ids, {})
    both = settled(windows([a_row(1), a_row(2, 1)]), ids, first.chunks)
    assert len(codec.decode(both.chunks[1, NOON_MS]).times) == 2
    assert both.counts[NOON_MS].sum() == 0  # The pool was counted in this minute already, and its bin is the same.


def test_a_chunk_that_cannot_be_read_is_named() -> None:
    made = settled(windows([a_row(1)]), {1: {a_pool(): 1}}, {(1, NOON_MS): b"broken"})
    assert made.corrupt.keys() == {(1, NOON_MS)}
    assert len(codec.decode(made.chunks[1, NOON_MS]).times) == 1


def test_nothing_is_believed_that_does_not_read_back_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    other = codec.encode(a_chunk(held=[[2]]))
    monkeypatch.setattr(codec, "encode", lambda _chunk: other)
    with pytest.raises(NotItself):
        proven(a_chunk(held=[[1]]))
