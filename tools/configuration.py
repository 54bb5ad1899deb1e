"""`python -m tools.configuration`: write the tables of keys in docs/configuration.md anew from the code.

A key is a field of a dataclass; its type is the field's, its default too, and what it does is the text below it. What
code cannot know is here: how a default that is found out at run time is called, and where a page tells more.
"""

import ast
import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field
from pathlib import Path
from typing import Any

from agent.config import AgentConfig
from collector.alerts.rules import Rule
from collector.alerts.where import Where
from collector.config import Config
from collector.notify.settings import ChannelSettings

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
_MARKED = re.compile(r"(<!-- keys: (\w+), by python -m tools\.configuration -->\n).*?(<!-- end -->)", re.DOTALL)
_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


@dataclass(frozen=True, slots=True)
class Table:
    """A dataclass of settings; `defaults` and `more` are by key: what stands for a default, and a link."""

    kind: type
    defaults: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)


TABLES = (
    Table(
        AgentConfig,
        {
            "source_ports": "the kernel's choice",
            "tls_ca": "the system's",
            "tls_key": "in `tls_cert`",
            "host": "the hostname",
            "netns": "all",
            "spool_dir": "systemd's StateDirectory, else `$XDG_STATE_HOME/portgauge/agent`",
            "listen": "nowhere",
        },
        {
            "join_token_file": "[enrolment](rollout.md#enrolment)",
            "source_ports": "[more](operating.md#when-the-host-has-no-port-left)",
            "interval_s": "[when](operating.md#when-a-sample-is-taken)",
            "probe": "[what that is](operating.md#probing)",
        },
    ),
    Table(
        Config,
        {
            "database": "`$PORTGAUGE_DATABASE`, else `$XDG_STATE_HOME/portgauge/history.db`",
            "tls_key": "in `tls_cert`",
            "rule": "see below",
        },
        {"metrics_pools": "[more](prometheus.md)"},
    ),
    Table(Rule, {"raise_at": "required", "clear_at": "`raise_at`", "where": "everything", "channels": "all"}),
    Table(Where, dict.fromkeys((one.name for one in dataclasses.fields(Where)), "any")),
    Table(
        ChannelSettings,
        {"url": "this or `url_file`", "severities": "both"},
        {"url": "[apprise's addresses](https://github.com/caronc/apprise/wiki)"},
    ),
)


def written(page: str) -> str:
    """The page with each of its tables as the code has it."""
    by_name = {table.kind.__name__: table for table in TABLES}
    return _MARKED.sub(lambda found: f"{found[1]}\n{rows(by_name[found[2]])}\n\n{found[3]}", page)


def rows(table: Table) -> str:
    """A table of keys."""
    told, hints = texts(table.kind), typing.get_type_hints(table.kind)
    lines = ["| key | type | default | |", "| --- | --- | --- | --- |"]
    for one in dataclasses.fields(table.kind):
        more = f" ({table.more[one.name]})" if one.name in table.more else ""
        name = f"[[{one.name}]]" if _is_list_of_tables(hints[one.name]) else one.name
        default = table.defaults.get(one.name) or _default(one)
        lines.append(f"| `{name}` | {_type(hints[one.name])} | {default} | {told[one.name].rstrip('.')}{more} |")
    return "\n".join(lines)


def texts(kind: type) -> dict[str, str]:
    """By field, what is written below it, as one line; empty where nothing is."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    return dict(_texts(body.body))


def _texts(statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, after in zip(statements, [*statements[1:], ast.Pass()], strict=True):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
            case ast.AnnAssign(target=ast.Name(id=name)), _:
                yield name, ""
            case _:
                pass


def _default(one: Field[Any]) -> str:
    if one.default is MISSING and one.default_factory is MISSING:
        return "required"
    value = one.default_factory() if one.default_factory is not MISSING else one.default
    match value:
        case None | "" | () | {}:
            return "none"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:.10g}"
        case tuple():
            return f"`[{', '.join(map(repr, value))}]`"
    return f"`{value}`"


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return _type(next(one for one in arguments if one is not types.NoneType))
    if origin is dict:
        return "table of texts"
    if origin is tuple:
        return "tables" if _is_list_of_tables(hint) else f"list of {_type(arguments[0])}s"
    return "table" if dataclasses.is_dataclass(hint) else _TYPES[hint]


def _is_list_of_tables(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and dataclasses.is_dataclass(typing.get_args(hint)[0])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
