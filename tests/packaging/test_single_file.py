"""One file, any Python from 3.11 on, nothing else: neither the project's packages nor compiled ones."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.version import agent_version
from tests.agent_process import until
from tests.collector_process import a_token, migrated, serving
from tests.secret import a_secret
from tools.release.single_file import START

MOST_BYTES = 10_000_000
DEBIANS = shutil.which("python3", path="/usr/bin")
PYTHONS = [one for one in (sys.executable, DEBIANS) if one]


@pytest.fixture(scope="session")
def program(artifacts: Path) -> Path:
    return artifacts / "portgauge-agent"


def alone(python: str, program: Path, *arguments: str) -> list[str]:
    """Without site-packages: what is not in the file is not there."""
    return [python, "-I", "-S", str(program), *arguments]


def test_it_is_small_and_holds_nothing_compiled(program: Path) -> None:
    assert program.stat().st_size < MOST_BYTES
    assert {Path(name).suffix for name in zipfile.ZipFile(program).namelist()} & {".so", ".pyd", ".pyc"} == set()


@pytest.mark.parametrize("python", PYTHONS)
def test_it_counts(python: str, program: Path) -> None:
    done = subprocess.run(alone(python, program, "pools", "--json"), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["host"]


def test_it_knows_its_version(program: Path) -> None:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"{agent_version()}\n"


@pytest.mark.parametrize("python", PYTHONS)
def test_it_reports_to_a_collector(python: str, program: Path, tmp_path: Path) -> None:
    """The whole way on the Python fallbacks: sampling, the spool, msgpack, HTTP."""
    database = migrated(tmp_path)
    token = a_secret(tmp_path / "token", a_token(database, "--scope", "push", "--host", "single"))
    reader = a_token(database, "--scope", "read")
    with serving(database) as collector:
        settings = ["--host", "single", "--netns", "own", "--collector", collector.url, "--token-file", str(token)]
        environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path / "state")}
        with (tmp_path / "agent.log").open("w") as log:
            agent = subprocess.Popen(alone(python, program, "run", *settings), env=environment, stderr=log)
        try:
            until(
                lambda: [one["host"] for one in json.loads(collector.get("/v1/hosts", reader))["items"]] == ["single"]
            )
        finally:
            agent.terminate()
            assert agent.wait(20) == 0


def test_an_older_python_can_read_why_it_will_not_do() -> None:
    """What refuses it must not be a syntax error."""
    ast.parse(START, feature_version=(3, 4))
    assert START.index("version_info") < START.index("from agent")
