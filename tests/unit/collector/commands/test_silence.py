"""`silence`."""

import json
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.commands.common import InvalidDuration, parse_length_ms
from collector.commands.silence import parse_when
from tests.builders import NOON_MS


@pytest.fixture
def database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    file = str(tmp_path / "x.db")
    assert main(["migrate", "--database", file]) == 0
    capsys.readouterr()
    return file


def test_a_silence_is_made_listed_and_ended(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--role", "edge", "--for", "2h", "--reason", "upgrade", "--author", "ops"]
    assert main(["silence", "add", *words, "--database", database]) == 0
    silence_id = capsys.readouterr().out.strip()
    assert main(["silence", "list", "--database", database]) == 0
    assert "role=edge  ops: upgrade" in capsys.readouterr().out
    assert main(["silence", "expire", silence_id, "--database", database]) == 0
    assert main(["silence", "list", "--json", "--database", database]) == 0
    assert json.loads(capsys.readouterr().out) == {"items": []}
    assert main(["silence", "expire", silence_id, "--database", database]) == 2
    assert "no current silence has the id" in capsys.readouterr().err


def test_a_window_to_come_says_so(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    when = ["--from", "2099-01-01T00:00", "--for", "1d", "--reason", "r", "--peer", "10.0.0.1"]
    assert main(["silence", "add", *when, "--database", database]) == 0
    assert main(["silence", "list", "--database", database]) == 0
    assert "to come  until 2099-01-02 00:00 UTC  peer=10.0.0.1" in capsys.readouterr().out


def test_hosts_are_meant_by_a_label_too(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--label", "dc=fra*", "--for", "1h", "--reason", "r", "--database", database]
    assert main(["silence", "add", *words]) == 0
    capsys.readouterr()
    assert main(["silence", "list", "--json", "--database", database]) == 0
    [made] = json.loads(capsys.readouterr().out)["items"]
    assert made["where"]["labels"] == {"dc": "fra*"}
    assert main(["silence", "list", "--database", database]) == 0
    assert "labels=dc=fra*" in capsys.readouterr().out
    words[1] = "fra"
    assert main(["silence", "add", *words]) == 2
    assert "'fra' is not NAME=PATTERN" in capsys.readouterr().err


def test_silencing_everything_is_refused(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["silence", "add", "--for", "1h", "--reason", "r", "--database", database]) == 2
    assert "say what is to be silent" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "ms"), [("90s", 90_000), ("30m", 1_800_000), ("2 h", 7_200_000), ("1d", 86_400_000)])
def test_lengths_of_time(text: str, ms: int) -> None:
    assert parse_length_ms(text) == ms


@pytest.mark.parametrize("text", ["", "2", "h", "2w", "-1h", "1.5h"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_length_ms(text)


def test_instants_are_utc_unless_they_say_otherwise() -> None:
    assert parse_when("2026-11-22T12:00") == parse_when("2026-11-22T13:00+01:00") == NOON_MS
    with pytest.raises(InvalidDuration):
        parse_when("tomorrow")
