"""A command in a real terminal (a pty), as a person starts it."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

PATIENCE_S = 110


@dataclass(frozen=True, slots=True)
class Seen:
    """`piped` is its standard output, where only standard error went to the terminal."""

    status: int
    terminal: str
    piped: str


def in_terminal(command: Sequence[str | Path], *, is_piped: bool = False, env: Mapping[str, str] | None = None) -> Seen:
    """Everything it shows until it ends by itself. `is_piped`: its standard output goes elsewhere, as with `> file`."""
    ours, its = pty.openpty()
    shown: list[bytes] = []
    reader = Thread(target=_read_all, args=(ours, shown))
    try:
        with subprocess.Popen(
            command,
            stdin=its,
            stdout=subprocess.PIPE if is_piped else its,
            stderr=its,
            env={**os.environ, "TERM": "xterm", **(env or {})},
        ) as process:
            os.close(its)
            reader.start()
            try:
                piped, _ = process.communicate(timeout=PATIENCE_S)
            finally:
                process.kill()
            reader.join()
    finally:
        os.close(ours)
    return Seen(process.returncode, b"".join(shown).decode(), (piped or b"").decode())


def _read_all(terminal: int, shown: list[bytes]) -> None:
    with suppress(OSError):  # A terminal that nobody writes to any more is an error to read from.
        while chunk := os.read(terminal, 65_536):
            shown.append(chunk)
