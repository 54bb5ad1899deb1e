"""The flags of `run` and how they are laid over the configuration file, for the commands that need the whole of it."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from agent.commands.arguments import add_netns, positive_seconds
from agent.config import LOG_LEVELS, AgentConfig
from agent.reload import Local
from shared.settings import build, read_toml

FLAGS = (
    *("collector", "token_file", "join_token_file", "host", "role", "netns", "interval_s", "cpu_share", "spool_dir"),
    *("log_level", "log_json"),
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Declare --config and the flags that override it."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the keys below (token_file, …)")
    parser.add_argument("--collector", metavar="URL", help="base URL of the collector")
    parser.add_argument("--token-file", metavar="FILE", help="file with the push token")
    what = "file with a join token, to get a push token with where there is none yet"
    parser.add_argument("--join-token-file", metavar="FILE", help=what)
    parser.add_argument("--host", metavar="NAME", help="this host's name (default: its hostname)")
    parser.add_argument("--role", metavar="ROLE", help="the group of machines it belongs to")
    add_netns(parser)
    parser.add_argument("--interval", dest="interval_s", type=positive_seconds, metavar="S", help="seconds (10)")
    parser.add_argument("--cpu-share", type=float, metavar="SHARE", help="of one core, for sampling (0.01)")
    parser.add_argument("--spool", dest="spool_dir", metavar="DIR", help="where unsent snapshots wait")
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="(info)")
    parser.add_argument("--log-json", action="store_true", default=None, help="log JSON instead of key=value")


def configured(arguments: argparse.Namespace) -> AgentConfig:
    """The file's keys, read now, with the flags laid over them. Raises SettingsError."""
    source = str(arguments.config) if arguments.config else "command line"
    return build(AgentConfig, _from_file(arguments) | _from_flags(arguments), source)


def origins(arguments: argparse.Namespace) -> dict[str, str]:
    """Where each key's value comes from: `flag`, `file` or `default`. Raises SettingsError."""
    from_file, from_flags = _from_file(arguments), _from_flags(arguments)
    names = [one.name for one in dataclasses.fields(AgentConfig)]
    return {name: "flag" if name in from_flags else "file" if name in from_file else "default" for name in names}


def local(arguments: argparse.Namespace) -> Local:
    """The configuration as `configured` has it, and which of its keys are set here. Raises SettingsError."""
    set_here = frozenset(key for key, origin in origins(arguments).items() if origin != "default")
    return Local(configured(arguments), set_here)


def _from_file(arguments: argparse.Namespace) -> dict[str, Any]:
    return read_toml(arguments.config) if arguments.config else {}


def _from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {key: getattr(arguments, key) for key in FLAGS}
    return {key: value for key, value in given.items() if value is not None and value != []}
