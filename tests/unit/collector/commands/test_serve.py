"""`serve`: its arguments. Its life is in tests/integration."""

from pathlib import Path

import pytest

from collector.__main__ import main


def test_a_flag_goes_before_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('listen = "127.0.0.1:1"\n')
    flags = ["--listen", "nonsense", "--config", str(config), "--database", str(tmp_path / "x.db")]
    assert main(["serve", *flags]) == 2
    assert "'nonsense' is not HOST:PORT" in capsys.readouterr().err


def test_the_file_may_name_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PORTGAUGE_DATABASE", raising=False)
    config = tmp_path / "collector.toml"
    config.write_text(f'listen = "127.0.0.1:0"\ndatabase = "{tmp_path}/from-file.db"\n')
    assert main(["serve", "--config", str(config)]) == 2
    assert "from-file.db: is not migrated" in capsys.readouterr().err
