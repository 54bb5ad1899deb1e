"""A log file as it grows, is rotated, cut, and comes back."""

from pathlib import Path

import pytest

from agent.evidence import follow
from agent.evidence.follow import Follower


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "proxy.log"
    path.write_text("old\n", encoding="utf-8")
    return path


def test_what_was_there_before_is_history(log: Path) -> None:
    with Follower(log) as follower:
        assert list(follower.lines()) == []
        append(log, "new\n")
        assert list(follower.lines()) == ["new"]


def test_half_a_line_waits_for_its_other_half(log: Path) -> None:
    with Follower(log) as follower:
        append(log, "ha")
        assert list(follower.lines()) == []
        append(log, "lf\nnext\n")
        assert list(follower.lines()) == ["half", "next"]


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(log: Path) -> None:
    with Follower(log) as follower:
        append(log, "last of the old\n")
        log.rename(log.with_suffix(".1"))
        append(log, "first of the new\n")
        assert list(follower.lines()) == ["last of the old", "first of the new"]


def test_a_file_that_is_cut_is_read_from_its_beginning(log: Path) -> None:
    append(log, "something long enough\n")
    with Follower(log) as follower:
        log.write_text("anew\n", encoding="utf-8")
        assert list(follower.lines()) == ["anew"]


def test_a_file_that_does_not_exist_yet_is_read_once_it_does(tmp_path: Path) -> None:
    path = tmp_path / "later.log"
    with Follower(path) as follower:
        assert list(follower.lines()) == []
        append(path, "first\n")
        assert list(follower.lines()) == ["first"]


def test_a_file_that_went_away_is_no_error(log: Path) -> None:
    with Follower(log) as follower:
        log.unlink()
        assert list(follower.lines()) == []
        append(log, "back\n")
        assert list(follower.lines()) == ["back"]


def test_too_much_at_once_is_skipped_and_counted(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "MOST_BYTES", 8)
    with Follower(log) as follower:
        append(log, "0123456789\nabc\n")
        assert list(follower.lines()) == ["789", "abc"]
        assert follower.skipped_bytes == 7


def test_a_line_without_end_is_not_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "LONGEST_LINE_BYTES", 4)
    with Follower(log) as follower:
        append(log, "endless")
        list(follower.lines())
        append(log, "!\nnext\n")
        assert list(follower.lines()) == ["!", "next"]


def test_bytes_that_are_no_text_do_no_harm(log: Path) -> None:
    with Follower(log) as follower:
        with log.open("ab") as file:
            file.write(b"\xff\xfe\n")
        assert list(follower.lines()) == ["��"]
