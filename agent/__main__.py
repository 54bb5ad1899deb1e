"""`portgauge-agent`: the command line. Errors we foresee end in one line on stderr and status 2, never a traceback."""

import argparse
import os
import sys
from collections.abc import Sequence

from agent.commands import check, explain, pools, run
from shared.errors import PortgaugeError

USAGE_ERROR = 2


def parser() -> argparse.ArgumentParser:
    """Every command with its flags."""
    top = argparse.ArgumentParser(
        prog="portgauge-agent",
        description="Counts the ephemeral ports of this host by pool and tells which will run out first.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in (run, pools, check, explain):
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit status."""
    arguments, unknown = parser().parse_known_args(argv)
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
