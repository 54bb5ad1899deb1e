"""`portgauge-collector`: reads the arguments, runs the command, and turns foreseen errors into one line."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version

from collector.commands import (
    ask,
    audit,
    export,
    hosts,
    migrate,
    notify,
    replay,
    rollout,
    rules,
    serve,
    silence,
    token,
)
from shared.errors import PortgaugeError

USAGE_ERROR = 2
INTERRUPTED = 130
FAULT = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0: done; 2: a mistake the message explains; 1: a fault of ours, with its traceback."""
    args = parser().parse_args(argv)
    try:
        status: int = args.run(args)
    except PortgaugeError as error:
        print(f"portgauge-collector: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        logging.getLogger(__name__).exception("unforeseen")
        return FAULT
    return status


def parser() -> argparse.ArgumentParser:
    """Every command with its flags."""
    top = argparse.ArgumentParser(
        prog="portgauge-collector",
        description="Keeps what agents report, answers questions, raises alerts before ports run out.",
        epilog=f"example:\n  {serve.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=version("portgauge"))
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for command in (serve, migrate, token, audit, rollout, silence, rules, replay, notify, ask, hosts, export):
        command.add(subparsers)
    return top


if __name__ == "__main__":
    sys.exit(main())
