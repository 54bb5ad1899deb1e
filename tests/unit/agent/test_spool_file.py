"""The spool's file by itself; what it is for is told in test_spool."""

import sqlite3
from pathlib import Path

import pytest

from agent.spool_file import Bounds, Damaged, Now, Row, SpoolFile, checked, is_damage

NOW = Now(1_000, 1_000)
BOUNDS = Bounds(10_000, 10_000)


def test_a_row_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    row = Row(7, 900, 950, b"body")
    file = SpoolFile(tmp_path / "f", BOUNDS, "boot")
    file.add([row], "boot.1", NOW)

    assert file.newest(()) == row
    assert file.newest({7}) is None
    assert (file.last_seq, file.fact("stream"), file.bytes) == (7, "boot.1", 4)
    file.close()


def test_each_commit_is_synced_before_it_is_answered(tmp_path: Path) -> None:
    """FULL is 2: in WAL, 1 would sync at checkpoints only, and a power cut take what was answered."""
    file = SpoolFile(tmp_path / "f", BOUNDS, "boot")

    assert file._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert file._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()


def test_what_does_not_fit_in_one_transaction_changes_nothing(tmp_path: Path) -> None:
    file = SpoolFile(tmp_path / "f", BOUNDS, "boot")
    file.add([Row(1, 900, 950, b"one")], "boot.1", NOW)

    with pytest.raises(sqlite3.IntegrityError):
        file.add([Row(2, 900, 950, b"two"), Row(1, 900, 950, b"again")], "boot.2", NOW)

    assert (file.state().snapshots, file.bytes, file.fact("stream")) == (1, 3, "boot.1")
    file.close()


def test_a_file_of_an_older_agent_is_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "f") as db:
        db.execute("CREATE TABLE snapshot (seq INTEGER PRIMARY KEY AUTOINCREMENT, taken_at_ms, body, refused)")
        db.execute("INSERT INTO snapshot VALUES (3, 900, x'aa', 0)")
    db.close()
    file = SpoolFile(tmp_path / "f", BOUNDS, "boot")

    assert file.newest(()) == Row(3, 900, None, b"\xaa")
    file.close()


def test_a_flipped_bit_is_seen() -> None:
    with pytest.raises(Damaged, match="snapshot 3"):
        checked((3, 900, b"body", 0, None, 1))


def test_damage_is_told_from_a_disk_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError) as damage:
        SpoolFile(tmp_path / "f", BOUNDS, "boot")
    with pytest.raises(sqlite3.OperationalError) as refusal:
        SpoolFile(tmp_path / "nowhere" / "f", BOUNDS, "boot")

    assert is_damage(damage.value)
    assert not is_damage(refusal.value)
