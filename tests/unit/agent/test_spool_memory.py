"""Waiting in memory: bounded, newest first, nothing lost unsaid."""

from agent.spool_file import Row
from agent.spool_memory import SpoolMemory


def a_row(seq: int, size: int = 10) -> Row:
    return Row(seq, seq, seq, bytes(size))


def test_past_the_bytes_the_oldest_go_and_are_counted() -> None:
    memory = SpoolMemory(max_bytes=25)

    assert [memory.add(a_row(seq)) for seq in (1, 2, 3, 4)] == [0, 0, 1, 1]

    assert (list(memory.rows), memory.bytes, memory.dropped) == ([3, 4], 20, 2)


def test_the_newest_is_kept_whatever_its_size() -> None:
    memory = SpoolMemory(max_bytes=25)
    memory.add(a_row(1))
    memory.add(a_row(2, size=100))

    assert memory.newest() == a_row(2, size=100)
    assert list(memory.rows) == [2]


def test_what_is_refused_is_kept_and_not_offered_again() -> None:
    memory = SpoolMemory(max_bytes=25)
    memory.add(a_row(1))
    memory.add(a_row(2))

    assert memory.refuse(2)
    assert memory.newest() == a_row(1)
    assert memory.forget(1)
    assert memory.newest() is None
    assert not memory.forget(1)
    assert not memory.refuse(7)
