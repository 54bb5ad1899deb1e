"""Files that are kept open, and what they hold by then."""

from pathlib import Path

import pytest

from agent.reread import USUAL_BYTES, Reread


def test_what_a_file_holds_now_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    file = Reread(str(path))

    assert file.read() == b"one"
    path.write_text("another")
    assert file.read() == b"another"


def test_a_file_larger_than_usual_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(USUAL_BYTES + 1))

    assert len(Reread(str(path)).read()) == USUAL_BYTES + 1


def test_a_file_that_is_not_there_is_said_and_read_once_it_is(tmp_path: Path) -> None:
    file = Reread(str(tmp_path / "file"))
    with pytest.raises(FileNotFoundError):
        file.read()
    (tmp_path / "file").write_text("here")

    assert file.read() == b"here"


def test_it_is_closed_when_nobody_holds_it_any_more(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("here")
    file = Reread(str(path))
    file.read()
    assert is_open(path)
    del file

    assert not is_open(path)


def is_open(path: Path) -> bool:
    return any(one.is_symlink() and one.resolve() == path for one in Path("/proc/self/fd").iterdir())
