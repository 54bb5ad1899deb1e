"""A line that tells how far a command is."""

import io

import pytest

from collector.commands import progress as module
from collector.commands.progress import lines, megabytes, progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_screen(monkeypatch: pytest.MonkeyPatch, *, every_s: float = 0.0) -> Screen:
    """In place of standard error; by a test itself, since pytest puts its own there before each."""
    made = Screen()
    monkeypatch.setattr("sys.stderr", made)
    monkeypatch.setattr(module, "EVERY_S", every_s)
    return made


def test_the_line_is_written_over_and_the_last_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    with progress(lines) as told:
        told(1_000)
        told(500)
    *shown, last = screen.getvalue().split("\r")[1:]
    assert [line.rstrip() for line in shown] == ["1,000 lines", "1,500 lines"]
    assert last.startswith("1,500 lines in ")
    assert last.endswith(" s\n")


def test_a_shorter_line_leaves_nothing_of_the_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch)
    with progress(lambda done: "x" * (9 - done)) as told:
        told(1)
        told(5)
    assert screen.getvalue().split("\r")[1:3] == ["x" * 8, "x" * 3 + " " * 5]


def test_it_is_not_written_for_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = a_screen(monkeypatch, every_s=3_600.0)
    with progress(megabytes) as told:
        for _ in range(100):
            told(123_000)
    assert screen.getvalue().startswith("\r12.3 MB in ")


def test_into_a_log_goes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(lines) as told:
        told(1)
    assert capsys.readouterr().err == ""
