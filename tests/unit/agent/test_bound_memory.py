"""What is remembered of ports, and that nothing is written that is known already."""

import sqlite3
from pathlib import Path

import pytest

from agent import bound_memory
from agent.bound_memory import FILE, KEEP_MS, REFRESH_MS, BoundMemory, MemoryUnusable, Seen, changes

DAY_MS = 86_400_000


def noted(directory: Path, in_use: dict[str, dict[int, str]], now_ms: int) -> int:
    with BoundMemory(directory, may_write=True) as memory:
        return memory.note(in_use, now_ms)


def seen(directory: Path, netns: str = "host") -> dict[int, Seen]:
    with BoundMemory(directory) as memory:
        return memory.seen(netns)


def test_a_port_is_new_changed_or_due_else_nothing_is_written() -> None:
    known = {80: Seen("listening", 0, 1_000)}

    assert changes(known, {80: "listening"}, 2_000) == {}
    assert changes(known, {80: "listening", 81: "UDP"}, 2_000) == {81: Seen("UDP", 2_000, 2_000)}
    assert changes(known, {80: "bound, idle"}, 2_000) == {80: Seen("bound, idle", 0, 2_000)}
    assert changes(known, {80: "listening"}, 1_000 + REFRESH_MS) == {80: Seen("listening", 0, 1_000 + REFRESH_MS)}


def test_a_clock_set_back_does_not_leave_a_date_in_the_future() -> None:
    assert changes({80: Seen("UDP", 5_000, 9_000)}, {80: "UDP"}, 2_000) == {80: Seen("UDP", 2_000, 2_000)}


def test_what_is_gone_is_remembered_with_its_last_time(tmp_path: Path) -> None:
    assert noted(tmp_path, {"host": {80: "listening", 81: "UDP"}, "pod": {80: "listening"}}, 1_000) == 3
    assert noted(tmp_path, {"host": {80: "listening"}}, 1_000 + REFRESH_MS) == 1

    assert seen(tmp_path) == {80: Seen("listening", 1_000, 1_000 + REFRESH_MS), 81: Seen("UDP", 1_000, 1_000)}
    assert seen(tmp_path, "pod") == {80: Seen("listening", 1_000, 1_000)}


def test_after_three_months_it_is_forgotten(tmp_path: Path) -> None:
    noted(tmp_path, {"host": {80: "listening"}}, 1_000)
    noted(tmp_path, {"host": {81: "listening"}}, 1_001 + KEEP_MS)

    assert set(seen(tmp_path)) == {81}


def test_the_file_is_bounded_and_keeps_what_was_seen_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound_memory, "MOST_PORTS", 2)
    for day, port in enumerate((80, 81, 82)):
        noted(tmp_path, {"host": {port: "UDP"}}, day * DAY_MS)

    assert set(seen(tmp_path)) == {81, 82}


def test_without_the_file_reading_says_so_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(MemoryUnusable, match=FILE):
        BoundMemory(tmp_path)

    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_set_aside_by_the_agent_and_told_to_a_reader(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)

    with pytest.raises(MemoryUnusable, match="not a database"):
        BoundMemory(tmp_path)
    noted(tmp_path, {"host": {80: "UDP"}}, 1_000)

    assert set(seen(tmp_path)) == {80}
    assert (tmp_path / "bound.damaged").exists()


def test_a_disk_that_refuses_is_told_as_such(tmp_path: Path) -> None:
    with BoundMemory(tmp_path, may_write=True), BoundMemory(tmp_path) as reader:
        with pytest.raises(MemoryUnusable, match="readonly"):
            reader.note({"host": {80: "UDP"}}, 1_000)

        sqlite3.connect(tmp_path / FILE).executescript("DROP TABLE bound")
        with pytest.raises(MemoryUnusable, match="no such table"):
            reader.seen("host")
