"""Flags over file over defaults, and which of them a value came from."""

import argparse
from pathlib import Path

import pytest

from agent.commands.settings import add_settings, configured, origins


def given(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_settings(parser)
    return parser.parse_args(argv)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text('collector = "http://a:1"\ntoken_file = "token"\nrole = "edge"\ninterval_s = 3\n')
    return path


def test_flags_go_before_the_file_and_the_file_before_the_defaults(file: Path) -> None:
    arguments = given("--config", str(file), "--interval", "7")

    config, told = configured(arguments), origins(arguments)

    assert (config.interval_s, config.role, config.most_pools) == (7, "edge", 200)
    assert (told["interval_s"], told["role"], told["most_pools"]) == ("flag", "file", "default")


def test_the_file_is_read_anew_each_time(file: Path) -> None:
    arguments = given("--config", str(file))
    file.write_text(file.read_text().replace('"edge"', '"core"'))

    assert configured(arguments).role == "core"
