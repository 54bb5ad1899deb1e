"""What commands share."""

import argparse

import pytest

from collector.commands.common import add_command, add_database, location_of


def a_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command = add_command(parser.add_subparsers(), "brew", "make coffee", "brew --database x.db")
    add_database(command)
    return parser


def test_help_shows_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        a_parser().parse_args(["brew", "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "Make coffee." in shown
    assert "example:\n  brew --database x.db" in shown


def test_the_database_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTGAUGE_DATABASE", "/env.db")
    assert str(location_of(a_parser().parse_args(["brew"]))) == "/env.db"
    assert str(location_of(a_parser().parse_args(["brew", "--database", "/flag.db"]))) == "/flag.db"
