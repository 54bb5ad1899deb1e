"""Whoever makes the artifacts again gets the same bytes: else nobody can tell that they were made from this tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.release.source import ROOT, source_of


def a_copy(place: Path) -> Path:
    """The tree as git knows it, in another directory, with another person's permissions."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place / name)
            (place / name).chmod(0o700 if os.access(ROOT / name, os.X_OK) else 0o600)
    return place


@pytest.mark.timeout(600)
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git tree: an sdist does not know its moment")
def test_two_builds_are_byte_identical(artifacts: Path, tmp_path: Path) -> None:
    copy = a_copy(tmp_path / "elsewhere" / "portgauge")
    known = {"SOURCE_DATE_EPOCH": str(source_of(ROOT).epoch_s), "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    command = ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-m", "tools.release", "--into"]

    subprocess.run([*command, tmp_path / "again"], cwd=copy, env={**os.environ, **known}, check=True)

    assert (tmp_path / "again" / "SHA256SUMS").read_text() == (artifacts / "SHA256SUMS").read_text()
