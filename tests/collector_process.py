"""The installed `portgauge-collector`, as a person starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from shared import wire
from shared.model import Snapshot

PROGRAM = Path(sys.executable).with_name("portgauge-collector")
READY_S = 20
PATIENCE_S = 120
"""A machine that these tests share with others may sync its disk for seconds."""
_OVERRIDE = "-dac_override,-dac_read_search"
WITHOUT_OVERRIDE = ("setpriv", "--bounding-set", _OVERRIDE, "--inh-caps", _OVERRIDE)
LISTENING = "portgauge-collector listening on "


@dataclass(slots=True)
class Serving:
    """A running collector."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def push(self, snapshot: Snapshot, token: str) -> int:
        return self.post(wire.encode(snapshot), token)

    def post(self, body: bytes, token: str, **headers: str) -> int:
        """The status of a push."""
        known = {"Content-Type": wire.CONTENT_TYPE, "Authorization": f"Bearer {token}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(f"{self.url}/v1/snapshots", body, known | named)  # noqa: S310 - our own loopback address
        try:
            with urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
                status: int = response.status
        except HTTPError as error:
            with error:
                status = error.code
        return status

    def get(self, path: str, token: str) -> bytes:
        request = Request(f"{self.url}{path}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        with urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
            body: bytes = response.read()
        return body

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = 2) -> int:
        """The exit status."""
        self.process.send_signal(number)
        return self.process.wait(within_s)


def run(*arguments: str | Path, program: Path = PROGRAM) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself. Root's right to open every file is taken from it: permissions hold for it too."""
    command = [*(WITHOUT_OVERRIDE if os.geteuid() == 0 else ()), program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def a_token(database: Path | str, *arguments: str, program: Path = PROGRAM) -> str:
    made = run("token", "create", "--database", database, *arguments, program=program)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def migrated(tmp_path: Path) -> Path:
    database = tmp_path / "history.db"
    assert run("migrate", "--database", database).returncode == 0
    return database


@contextmanager
def serving(
    database: Path | str,
    *arguments: str | Path,
    listen: str = "127.0.0.1:0",
    log: Path | None = None,
    program: Path = PROGRAM,
) -> Iterator[Serving]:
    """Serve until the block ends; killed if it has not ended by then. `log` takes what it says, by default beside."""
    command: Sequence[str | Path] = [program, "serve", "--listen", listen, "--database", database, *arguments]
    log = log or Path(database).with_suffix(".log")
    with (
        log.open("a") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            yield Serving(process, _address(process), log)
        finally:
            if process.poll() is None:
                process.kill()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(LISTENING), f"did not start, exit status {process.wait(READY_S)}"
    return line.removeprefix(LISTENING).strip()
