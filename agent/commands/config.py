"""`portgauge-agent config check`: whether `run` would start, and with what in force."""

import argparse
import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from agent.commands.settings import add_settings, configured, origins
from agent.config import AgentConfig
from agent.push import require_usable

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser("config", help="check the configuration", description="Work on the configuration.")
    checks = parser.add_subparsers(required=True, metavar="check")
    check = checks.add_parser(
        "check",
        help="validate it and show what is in force",
        description="Validate the configuration of `run`, token file and all, without starting anything. Prints every "
        "key with its value and where that comes from: flag, file or default. Exit status 2 and one line on stderr "
        "where `run` would not start. Run it as the agent's user: permissions of the token file are judged for yours.",
        epilog="example: portgauge-agent config check --config /etc/portgauge/agent.toml",
    )
    add_settings(check)
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(run=run, parser=check)


def run(arguments: argparse.Namespace) -> int:
    """Show what is in force. Raises SettingsError, TokenUnreadable or TlsUnusable."""
    config, told = configured(arguments), origins(arguments)
    require_usable(config)
    shown = in_force(config, told)
    print(json.dumps(shown, indent=2, ensure_ascii=False) if arguments.json else table(shown))
    return 0


def in_force(config: AgentConfig, told: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Each key's `value`, without any secret, and `origin`."""
    values = {one.name: getattr(config, one.name) for one in dataclasses.fields(config)}
    return {key: {"value": _plain(value), "origin": told[key]} for key, value in values.items()}


def table(shown: Mapping[str, Mapping[str, Any]]) -> str:
    """For a person: a line a key, the value as the file would have it."""
    lines = [(key, json.dumps(one["value"], ensure_ascii=False), one["origin"]) for key, one in shown.items()]
    wide, wider = max(len(key) for key, _, _ in lines), max(len(value) for _, value, _ in lines)
    return "\n".join(f"{key:<{wide}}  {value:<{wider}}  {origin}" for key, value, origin in lines)


def _plain(value: Any) -> Any:
    """As JSON has it; a password in a URL stays unsaid."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return _CREDENTIALS.sub("…@", str(value))
