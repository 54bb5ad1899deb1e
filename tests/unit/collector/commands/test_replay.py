"""`replay`: what is asked, and how it is shown. Asked for real in tests/contract/collector/commands/test_replay.py."""

import io
from pathlib import Path
from typing import Any

import pytest

from collector.__main__ import main
from collector.commands.client import CannotAsk
from collector.commands.replay import Progress, gathered

DONE = {"done": {"from_ms": 0}}


class Terminal(io.StringIO):
    """Somebody looks."""

    def isatty(self) -> bool:
        return True


def progress(stream: io.StringIO) -> Progress:
    return Progress(stream, 1_000, 3_000)


def test_progress_is_for_terminals_only() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        gathered(iter([{"until_ms": 2_000}, DONE]), progress(stream))
    assert terminal.getvalue() == "\r 50%  1970-01-01 00:00:02\r\x1b[K"
    assert pipe.getvalue() == ""


def test_moments_and_notices_become_one_document() -> None:
    lines: list[dict[str, Any]] = [{"moment": {"at_ms": 1}}, {"notice": {"at_ms": 1}}, {"until_ms": 2}, DONE]
    made = gathered(iter(lines), progress(io.StringIO()))
    assert made == {"from_ms": 0, "items": [{"at_ms": 1}], "notices": [{"at_ms": 1}]}


def test_a_line_of_a_kind_that_is_still_to_come_is_passed_over() -> None:
    """The collector that is asked may be newer."""
    made = gathered(iter([{"remark": "…"}, DONE]), progress(io.StringIO()))
    assert made == {"from_ms": 0, "items": [], "notices": []}


@pytest.mark.parametrize(
    ("last", "what"), [({"error": "no database"}, "no database"), ({"until_ms": 2}, "ended before")]
)
def test_an_answer_without_its_last_line_is_a_fault(last: dict[str, object], what: str) -> None:
    with pytest.raises(CannotAsk, match=what):
        gathered(iter([last]), progress(io.StringIO()))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--from", "yesterday"], "from: a time like"),
        (["--from", "0", "--rules", "{file}"], ":4: rule[0].condition: "),
    ],
)
def test_a_mistake_is_named_before_anybody_is_asked(
    words: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[[rule]]\nname = "x"\nseverity = "page"\ncondition = "ocupancy"\nraise_at = 0.9\n')
    assert main(["replay", *(word.format(file=file) for word in words)]) == 2
    assert what in capsys.readouterr().err
