"""Debian's Prometheus, started by hand in a folder of its own. No service is involved."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.alertmanager import PATIENCE_S, free_port, wait_until_ready

PROGRAM = "prometheus"


def why_none() -> str | None:
    """Why it cannot be started here; None where it can."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM} is not installed: run `make deps`"


@contextmanager
def prometheus(folder: Path, config: Path, *flags: str, keeps: bool = True) -> Iterator[str]:
    """A running one with this configuration; gives `127.0.0.1:PORT`. One that keeps nothing is in agent mode."""
    address = f"127.0.0.1:{free_port()}"
    store = [f"--storage.tsdb.path={folder}"] if keeps else ["--enable-feature=agent", f"--storage.agent.path={folder}"]
    arguments = [f"--config.file={config}", f"--web.listen-address={address}", *store, *flags]
    log = folder.with_suffix(".log")
    with log.open("w") as said, subprocess.Popen([PROGRAM, *arguments], stderr=said, stdout=said) as process:
        try:
            wait_until_ready(address, process, log)
            yield address
        finally:
            process.kill()


def answer(address: str, query: str) -> list[dict[str, Any]]:
    """What it answers to an expression now. Raises HTTPError where it cannot read it."""
    with urlopen(f"http://{address}/api/v1/query?{urlencode({'query': query})}", timeout=PATIENCE_S) as response:
        found: list[dict[str, Any]] = json.load(response)["data"]["result"]
    return found
