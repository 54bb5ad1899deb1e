"""The artifacts, made once for all tests."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.release.source import ROOT


def is_online() -> bool:
    """Whether any route leads out of this network namespace; an ordinary user's tests run in one of their own."""
    tables = (Path("/proc/net/route"), Path("/proc/net/ipv6_route"))
    devices = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()]
    return any(words[0] not in {"Iface", "lo"} and words[-1] != "lo" for words in devices)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes of this tree: once for all workers of a run, the first that asks makes it."""
    if not is_online():
        pytest.skip("make dist fetches packages, and no network can be reached from here")
    own = tmp_path_factory.getbasetemp()
    of_all = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = of_all / "artifacts"
    with (of_all / "artifacts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            into = tmp_path_factory.mktemp("artifacts")
            subprocess.run([sys.executable, "-m", "tools.release", "--into", into], cwd=ROOT, check=True)
            into.rename(made)
    return made
