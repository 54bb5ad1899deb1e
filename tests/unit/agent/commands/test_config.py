"""`config check` says what is in force, where it comes from, and never a secret."""

import dataclasses
import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.commands.config import in_force, table
from agent.config import AgentConfig
from tests.secret import a_secret

TOKEN = "pg_0123456789ab_sesame"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    token = a_secret(tmp_path / "token", TOKEN)
    path.write_text(f'collector = "http://a:1"\ntoken_file = "{token}"\nrole = "edge"\n[labels]\nsite = "eu"\n')
    return path


def test_every_key_is_told_with_its_value_and_origin(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", str(file), "--interval", "5"]) == 0

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    told = {key: rest.split() for key, rest in lines}
    assert set(told) == {one.name for one in dataclasses.fields(AgentConfig)}
    assert told["role"] == ['"edge"', "file"]
    assert told["interval_s"] == ["5.0", "flag"]
    assert told["most_pools"] == ["200", "default"]
    assert told["labels"] == ['{"site":', '"eu"}', "file"]


def test_json_says_the_same_and_neither_says_the_token(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", str(file), "--json"]) == 0

    out = capsys.readouterr().out
    assert json.loads(out)["role"] == {"value": "edge", "origin": "file"}
    assert TOKEN not in out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("intervall_s = 5", "intervall_s: unknown key; did you mean 'interval_s'?"),
        ("interval_s = true", "interval_s: a number is needed, not True"),
        ("most_pools = 0", "most_pools: need 1 to"),
        ('listen = "0.0.0.0:80"', "listen: need a loopback address, or listen_beyond_loopback = true"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(
    file: Path, capsys: pytest.CaptureFixture[str], line: str, why: str
) -> None:
    file.write_text(f"{line}\n{file.read_text()}")

    assert main(["config", "check", "--config", str(file)]) == 2

    (said,) = capsys.readouterr().err.splitlines()
    assert str(file) in said
    assert why in said


def test_a_token_that_run_would_refuse_is_a_mistake_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "token").chmod(0o644)

    assert main(["config", "check", "--config", str(file)]) == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_password_in_a_url_is_not_shown() -> None:
    config = AgentConfig(collector="http://a:1", token_file=Path("t"), labels={"x": "http://u:sesame@b"})
    origins = {one.name: "file" for one in dataclasses.fields(config)}

    assert "sesame" not in table(in_force(config, origins))
