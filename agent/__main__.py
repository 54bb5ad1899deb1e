"""`portgauge-agent`: the command line. Errors we foresee end in one line on stderr and status 2, never a traceback."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from shared.errors import PortgaugeError

USAGE_ERROR = 2
COMMANDS = ("run", "pools", "check", "explain", "advise", "doctor", "drill", "config")


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The command that `argv` names with its flags; every one where it names none.

    A scheduler runs `check` each minute, so it does not load what only `run` needs.
    """
    top = argparse.ArgumentParser(
        prog="portgauge-agent",
        description="Counts the ephemeral ports of this host by pool and tells which will run out first.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS:
        importlib.import_module(f"agent.commands.{command}").add(commands)
    return top


class _Version(argparse.Action):
    """Asks for the version only when told to: agent.version says why."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        agent_version = importlib.import_module("agent.version").agent_version
        print(agent_version())
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    arguments, unknown = parser(argv).parse_known_args(argv)
    if unknown:
        arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except PortgaugeError as error:
        print(f"portgauge-agent: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader went away (`… | head`): not an error of ours, but stdout must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
