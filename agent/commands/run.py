"""`portgauge-agent run`: the agent itself."""

import argparse
import asyncio

from agent.commands.settings import add_settings, local
from agent.run import log_as_told
from agent.run import run as run_agent
from shared.errors import PortgaugeError
from shared.heap import share_one_heap


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="sample this host and push to a collector",
        description="Sample, spool and push until SIGTERM. Flags override the keys of --config; SIGHUP reads it anew.",
        epilog="example: portgauge-agent run --collector http://127.0.0.1:8766 --token-file token --role edge",
    )
    add_settings(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until told to stop."""
    share_one_heap()
    here = local(arguments)
    log_as_told(here.config)
    try:
        asyncio.run(run_agent(here, lambda: local(arguments)))
    except ExceptionGroup as group:
        foreseen, unforeseen = group.split(PortgaugeError)
        if unforeseen is not None or foreseen is None:
            raise
        raise _first(foreseen) from None
    return 0


def _first(group: ExceptionGroup[PortgaugeError]) -> PortgaugeError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
