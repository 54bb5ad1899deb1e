"""`migrate`."""

from pathlib import Path

import pytest

from collector.__main__ import main
from collector.storage.schema import newest_revision

HEAD = newest_revision()


def test_it_makes_the_database_and_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "deep" / "er" / "history.db"
    assert main(["migrate", "--database", str(database)]) == 0
    assert capsys.readouterr().out == f"{database}: migrated to schema {HEAD}\n"
    assert database.exists()


def test_it_may_be_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = str(tmp_path / "x.db")
    main(["migrate", "--database", database])
    assert main(["migrate", "--database", database]) == 0
    assert capsys.readouterr().out.endswith(f"{database}: is at schema {HEAD}\n")


def test_the_environment_may_name_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PORTGAUGE_DATABASE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["migrate"]) == 0
    assert f"{tmp_path}/portgauge/history.db" in capsys.readouterr().out
