"""The installed `portgauge-agent run` with a configuration file, a token and a spool of its own.

It sees its own namespace only. Unless told otherwise nobody takes what it sends, and one sample an hour is due.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.netns import end
from tests.secret import a_secret

PROGRAM = Path(sys.executable).with_name("portgauge-agent")
NOBODY_LISTENS = "http://127.0.0.1:9"
PATIENCE_S = 60.0


class AnAgent:
    """One that can be configured, started, and looked into."""

    def __init__(self, place: Path, environment: Mapping[str, str]) -> None:
        place.mkdir(exist_ok=True)
        self._place, self._environment = place, environment
        self.config, self.log = place / "agent.toml", place / "agent.log"
        self.token = a_secret(place / "token", "t")
        self.program = PROGRAM
        self._started: list[subprocess.Popen[bytes]] = []
        self.configure()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The latest one started."""
        return self._started[-1]

    def configure(self, **keys: str | float) -> None:
        """Write the configuration file; it is read at the start, or on SIGHUP."""
        known: dict[str, str | float] = {
            "collector": NOBODY_LISTENS,
            "token_file": str(self.token),
            "spool_dir": str(self._place / "spool"),
            "interval_s": 3600.0,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in (known | keys).items()]
        self.config.write_text("\n".join([*lines, 'netns = ["own"]', ""]))

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        command = [str(self.program), "run", "--config", str(self.config), *arguments]
        with self.log.open("ab") as log:
            environ = {**os.environ, **self._environment, **environment}
            self._started.append(subprocess.Popen(command, stderr=log, env=environ))
        return self.process

    def spooled(self) -> int:
        """How many snapshots wait. The agent must have ended: it has the spool to itself."""
        with sqlite3.connect(self._place / "spool" / "spool.db") as db:
            (count,) = db.execute("SELECT count(*) FROM snapshot").fetchone()
        db.close()
        return int(count)

    def until_logged(self, text: str) -> None:
        until(lambda: text in self.log.read_text())

    def end(self) -> None:
        """Whatever a failed test left running."""
        end(self._started)


def until(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for it."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not come true in time"
        time.sleep(0.05)
