"""Debian's Alertmanager, started by hand in a folder of its own. No service is involved."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

PROGRAM = "prometheus-alertmanager"
PATIENCE_S = 30.0
CONFIG = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n"


def why_none() -> str | None:
    """Why it cannot be started here; None where it can."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM} is not installed: run `make deps`"


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """A running one; gives `127.0.0.1:PORT`. It keeps to itself: its cluster is off."""
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text(CONFIG)
    address = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={config}", f"--storage.path={folder}", f"--web.listen-address={address}"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([PROGRAM, *arguments, "--cluster.listen-address="], stderr=log, stdout=log) as process,
    ):
        try:
            wait_until_ready(address, process, folder / "log")
            yield address
        finally:
            process.kill()


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urlopen(f"http://{address}/-/ready", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"it did not start: {log.read_text()}")


def alerts_of(address: str) -> list[dict[str, Any]]:
    """What fires there now."""
    with urlopen(f"http://{address}/api/v2/alerts", timeout=PATIENCE_S) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
