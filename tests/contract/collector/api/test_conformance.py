"""Schemathesis asks the running collector whatever its document allows, and much that it does not.

`positive_data_acceptance` is left out: a cursor, or a window that ends before it begins, is refused though each
parameter has its form, and no schema can say so.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import a_pool, a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, serving

PROGRAM = Path(sys.executable).with_name("schemathesis")
ROOT = Path(__file__).parents[4]
EXAMPLES = 25
"""A kind of case of each operation; with the bounds of every parameter some 2,700 requests in all."""
DONE_S = 240
"""A machine that does other things meanwhile needs several times what a free one does."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, dict[str, str]]]:
    """Three hosts that reported, and a token of each scope."""
    database = migrated(tmp_path_factory.mktemp("collector"))
    tokens = {scope: a_token(database, "--scope", scope) for scope in ("push", "read", "admin")}
    with serving(database) as running:
        for host in ("lb1", "lb2", "lb3"):
            snapshot = a_snapshot(a_reading(290), a_reading(30, pool=a_pool(9002)), host=host)
            assert running.push(snapshot, tokens["push"]) == 202
        yield running, tokens
        assert running.stop(within_s=20) == 0


def examined(running: Serving, token: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What schemathesis has to say of some operations, asked with this token."""
    command: list[str | Path] = [
        *(PROGRAM, "run", f"{running.url}/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
        *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color", "--warnings", "off"),
        *arguments,
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.snapshots_for_schemathesis", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DONE_S, check=False, env=environment, cwd=running.log.parent
    )


@pytest.mark.timeout(DONE_S + 30)
def test_every_answer_is_as_documented(collector: tuple[Serving, dict[str, str]]) -> None:
    running, tokens = collector
    done = examined(running, tokens["admin"], "--exclude-path", "/v1/snapshots")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert "unforeseen" not in running.log.read_text()


def test_pushes_are_answered_as_documented(collector: tuple[Serving, dict[str, str]]) -> None:
    running, tokens = collector
    done = examined(running, tokens["push"], "--include-path", "/v1/snapshots")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
    assert "unforeseen" not in running.log.read_text()
