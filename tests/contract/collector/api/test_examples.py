"""The examples of docs/api.md, run as they stand against a running collector."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import a_reading, a_snapshot
from tests.collector_process import a_token, migrated, serving

PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
HTTP_ERROR = 22
"""curl's exit status for what is answered 400 or above."""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A collector that knows three hosts, tokens, and a curl that fails loudly."""
    folder = tmp_path_factory.mktemp("api")
    database = migrated(folder)
    push, read, admin = (a_token(database, "--scope", scope) for scope in ("push", "read", "admin"))
    (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    with serving(database) as running:
        for host in ("lb1", "lb2", "lb3"):
            now_ms = time.time_ns() // 1_000_000
            assert running.push(a_snapshot(a_reading(290), host=host, taken_at_ms=now_ms), push) == 202
        yield os.environ | {"URL": running.url, "TOKEN": read, "ADMIN": admin, "CURL_HOME": str(folder)}


def ran(example: str, surroundings: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", example]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=surroundings, cwd=folder
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_works_as_it_stands(example: str, surroundings: dict[str, str], tmp_path: Path) -> None:
    done = ran(example, surroundings, tmp_path)
    status = HTTP_ERROR if example.startswith("# answers 4") else 0
    assert (done.returncode, example) == (status, example), done.stdout + done.stderr


def test_what_examples_print_is_what_the_page_says(surroundings: dict[str, str], tmp_path: Path) -> None:
    [wrong] = [one for one in EXAMPLES if one.startswith("# answers 400")]
    [shown] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(ran(wrong, surroundings, tmp_path).stdout) == json.loads(shown)
    [walk] = [one for one in EXAMPLES if one.startswith("cursor=")]
    assert ran(walk, surroundings, tmp_path).stdout.split() == ["lb1", "lb2", "lb3"]
    [known] = [one for one in EXAMPLES if one.startswith("etag=")]
    assert ran(known, surroundings, tmp_path).stdout == "304\n"
    [silenced] = [one for one in EXAMPLES if one.startswith("made=")]
    assert json.loads(ran(silenced, surroundings, tmp_path).stdout)["items"][0]["author"] == "ops"


def test_every_path_is_told_of() -> None:
    said = json.loads((Path(__file__).parents[4] / "docs" / "openapi.json").read_text())["paths"]
    assert [
        path for path in said if f"`{path}" not in PAGE and f" {path}`" not in PAGE and path != "/v1/snapshots"
    ] == []
