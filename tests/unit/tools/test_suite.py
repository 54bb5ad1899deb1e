"""A real pytest that really breaks: a report with half a surrogate pair cannot be sent by a worker of pytest-xdist."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BREAKS_ONCE = """
import logging
from pathlib import Path

def test_breaks_its_worker_the_first_time():
    if not Path("seen").exists():
        Path("seen").touch()
        logging.getLogger("x").warning("\\udc80")
"""


def run(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.suite", *arguments]
    known = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=place, env=known, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_breaks.py").write_text(BREAKS_ONCE)
    return tmp_path


def test_what_was_left_when_pytest_broke_is_run_and_the_reason_is_told(project: Path) -> None:
    done = run(project, "--numprocesses", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "pytest broke, with 1 tests left. Its first error:" in done.stdout
    assert "strings must be utf-8 encodable" in done.stdout.partition("Its first error:")[2]
    assert "1 passed" in done.stdout.partition("run by themselves")[2]


def test_a_failure_is_not_asked_again_because_pytest_broke_too(project: Path) -> None:
    (project / "test_a_failure.py").write_text("def test_fails(): assert False")

    done = run(project, "--numprocesses", "1")

    assert done.returncode != 0
    assert "pytest broke" in done.stdout
    assert "run by themselves" not in done.stdout


def test_a_failure_alone_is_told_as_pytest_tells_it(project: Path) -> None:
    (project / "test_breaks.py").write_text("def test_fails(): assert False")

    done = run(project)

    assert done.returncode == 1
    assert "pytest broke" not in done.stdout


def test_a_report_of_this_suite_can_be_sent_whatever_a_test_logs(project: Path) -> None:
    (project / "conftest.py").write_text("from tests.conftest import pytest_report_to_serializable\n")

    done = run(project, "--numprocesses", "1", "-p", "no:cacheprovider")

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "pytest broke" not in done.stdout
