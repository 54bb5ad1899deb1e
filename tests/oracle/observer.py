"""Who is judged: something that answers how many more connects an application has."""

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from agent.__main__ import main
from tests.oracle.application import Application

PATIENCE_S = 60


class Answer(NamedTuple):
    """Headroom and its bounds."""

    headroom: int
    low: int
    high: int


Observer = Callable[[Application], tuple[Answer | None, str]]
"""Asked in the namespace of its thread; answers, or says in a line why not."""


def in_process(application: Application, *flags: str) -> tuple[Answer | None, str]:
    """The agent in this very process: no start of an interpreter, which takes longer than the answer."""
    said, complaint = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complaint):
        try:
            main(["explain", *application.arguments, "--json", *flags])
        except SystemExit:
            pass  # argparse refuses a flag this way, and has said why.
        except Exception as error:  # noqa: BLE001 - whatever it dies of, it owes an answer
            return None, repr(error)
    return _understood(said.getvalue(), complaint.getvalue())


def program(application: Application) -> tuple[Answer | None, str]:
    """The agent as people call it: the program installed beside this interpreter."""
    agent = Path(sys.executable).with_name("portgauge-agent")
    return _run([str(agent), "explain", *application.arguments, "--json"])


def shell_line(line: str) -> Observer:
    """Any other tool: {local} {peer} {port} {protocol} {options} are filled in, and sh runs the line."""

    def observe(application: Application) -> tuple[Answer | None, str]:
        filled = line.format(
            local=application.local,
            peer=application.peer,
            port=application.port,
            protocol=application.protocol,
            options=shlex.join(application.options),
        )
        return _run(["sh", "-c", filled])

    return observe


def _run(command: Sequence[str]) -> tuple[Answer | None, str]:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    return _understood(ran.stdout, ran.stderr)


def _understood(said: str, complaint: str) -> tuple[Answer | None, str]:
    try:
        document = json.loads(said)
        return Answer(document["headroom"], document["headroom_min"], document["headroom_max"]), ""
    except (ValueError, KeyError, TypeError):
        return None, (complaint or said or "said nothing").strip().splitlines()[-1]
