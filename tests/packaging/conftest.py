"""The artifacts, made once for all tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.release.source import ROOT


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes of this tree."""
    into = tmp_path_factory.mktemp("artifacts")
    subprocess.run([sys.executable, "-m", "tools.release", "--into", into], cwd=ROOT, check=True)
    return into
