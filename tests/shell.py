"""A shell as a person has it: interactive, in a real terminal, with a Tab key."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE_S = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07")


@dataclass
class Shell:
    """What is typed into it, and all that it showed since, without colours and movements."""

    terminal: int
    _raw: bytes = field(default=b"", repr=False)

    def type(self, keys: str) -> None:
        """Press these keys; what was shown before is forgotten."""
        self._read(0.0)
        self._raw = b""
        os.write(self.terminal, keys.encode())

    def until(self, *wanted: str) -> str:
        """Wait until all of these are shown. Answers everything that is."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not all(one in self._plain() for one in wanted):
            assert time.monotonic() < deadline_s, f"{wanted} not in {self._plain()!r}"
            self._read(0.1)
        return self._plain()

    def _plain(self) -> str:
        return _ESCAPES.sub("", self._raw.decode(errors="replace"))

    def _read(self, wait_s: float) -> None:
        while select.select([self.terminal], [], [], wait_s)[0]:
            self._raw += os.read(self.terminal, 65_536)
            wait_s = 0.0


@contextmanager
def interactive(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Shell]:
    """The shell, until the block ends."""
    ours, its = pty.openpty()
    try:
        with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True) as process:
            os.close(its)
            try:
                yield Shell(ours)
            finally:
                process.kill()
    finally:
        os.close(ours)
