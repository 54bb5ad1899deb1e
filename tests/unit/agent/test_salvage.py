"""Reading what can be read; that nothing else is lost is told in test_spool."""

from pathlib import Path

from agent.salvage import MOST_DAMAGED, salvaged, set_aside
from agent.spool_file import Bounds, Now, Row, SpoolFile


def a_file(path: Path, count: int = 40) -> list[Row]:
    rows = [Row(seq, 900, None, bytes([seq]) * 3_000) for seq in range(1, count + 1)]
    file = SpoolFile(path, Bounds(10**6, 10**6), "boot")
    file.add(rows, "boot.1", Now(0, 0))
    file.close()
    return rows


def test_a_sound_file_gives_every_row_in_order(tmp_path: Path) -> None:
    rows = a_file(tmp_path / "spool.db")

    assert list(salvaged(tmp_path / "spool.db")) == rows


def test_rows_behind_a_page_that_cannot_be_read_are_found(tmp_path: Path) -> None:
    """A page of the tree itself, not of a body: reading in order ends there."""
    path = tmp_path / "spool.db"
    rows = a_file(path)
    data = bytearray(path.read_bytes())
    leaf = data.index(b"\x14" * 2_000) // 4_096 * 4_096  # One row a page; this is where the twentieth lies.
    data[leaf : leaf + 8] = b"\xff" * 8
    path.write_bytes(data)

    assert [row.seq for row in salvaged(path)] == [row.seq for row in rows if row.seq != 20]


def test_nothing_comes_of_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database" * 100)

    assert list(salvaged(tmp_path / "spool.db")) == []


def test_the_log_goes_aside_with_its_file_and_few_are_kept(tmp_path: Path) -> None:
    for _ in range(MOST_DAMAGED + 2):
        (tmp_path / "spool.db").write_bytes(b"damaged")
        (tmp_path / "spool.db-wal").write_bytes(b"its log")
        aside = set_aside(tmp_path / "spool.db")

        assert aside.read_bytes() == b"damaged"
        assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"its log"
    assert len(list(tmp_path.iterdir())) == 2 * MOST_DAMAGED
