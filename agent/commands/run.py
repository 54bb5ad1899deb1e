"""`portgauge-agent run`: the agent itself."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from agent.commands.arguments import add_netns, positive_seconds
from agent.config import LOG_LEVELS, AgentConfig
from agent.run import run as run_agent
from shared import logs
from shared.errors import PortgaugeError
from shared.settings import build, read_toml

FLAGS = ("collector", "token_file", "host", "role", "netns", "interval_s", "spool_dir", "log_level", "log_json")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="sample this host and push to a collector",
        description="Sample, spool and push until SIGTERM. Flags override the keys of --config.",
        epilog="example: portgauge-agent run --collector http://127.0.0.1:8766 --token-file token --role edge",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the keys below (token_file, …)")
    parser.add_argument("--collector", metavar="URL", help="base URL of the collector")
    parser.add_argument("--token-file", metavar="FILE", help="file with the push token")
    parser.add_argument("--host", metavar="NAME", help="this host's name (default: its hostname)")
    parser.add_argument("--role", metavar="ROLE", help="the group of machines it belongs to")
    add_netns(parser)
    parser.add_argument("--interval", dest="interval_s", type=positive_seconds, metavar="S", help="seconds (10)")
    parser.add_argument("--spool", dest="spool_dir", metavar="DIR", help="where unsent snapshots wait")
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="(info)")
    parser.add_argument("--log-json", action="store_true", default=None, help="log JSON instead of key=value")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until told to stop."""
    config = configured(arguments)
    logs.configure(level=config.log_level, as_json=config.log_json)
    try:
        asyncio.run(run_agent(config))
    except ExceptionGroup as group:
        foreseen, unforeseen = group.split(PortgaugeError)
        if unforeseen is not None or foreseen is None:
            raise
        raise _first(foreseen) from None
    return 0


def configured(arguments: argparse.Namespace) -> AgentConfig:
    """The file's keys with the flags laid over them. Raises SettingsError."""
    source = str(arguments.config) if arguments.config else "command line"
    values: dict[str, Any] = read_toml(arguments.config) if arguments.config else {}
    given = {key: getattr(arguments, key) for key in FLAGS}
    values |= {key: value for key, value in given.items() if value is not None and value != []}
    return build(AgentConfig, values, source)


def _first(group: ExceptionGroup[PortgaugeError]) -> PortgaugeError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
