"""`trend`, `top`, `fleet` and the other questions to a running collector, asked of its API."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.commands.client import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE, client_of
from collector.commands.common import Subparsers, add_command
from collector.commands.planned import COLUMNS as PLAN_COLUMNS
from collector.commands.planned import METAVARS as PLAN_METAVARS
from collector.commands.planned import below as plan_below
from collector.commands.planned import rows as plan_rows
from collector.commands.table import as_csv, cell, table

Rows = Sequence[Mapping[str, Any]]
_POOL = ("host", "role", "netns", "pool")
_WINDOW = {"from": "since when: 2026-11-22T09:00 (UTC), or Unix seconds", "to": "until when (default: now)"}
_LIMIT = {"limit": "how many at most"}


def _items(document: Mapping[str, Any]) -> Rows:
    items: Rows = document["items"]
    return items


def _points(document: Mapping[str, Any]) -> Rows:
    points: Rows = document["points"]
    return points


def _losses(document: Mapping[str, Any]) -> str:
    spans: Rows = document.get("lost", ())  # A collector of the version before does not tell.
    return "\n".join(
        f"lost: of {cell('from_ms', one)} to {cell('to_ms', one)} history cannot tell all that it once held"
        for one in spans
    )


def _levels(document: Mapping[str, Any]) -> Rows:
    names = [f"p{share * 100:g}" for share in document["quantiles"]]
    return [
        {
            "at_ms": point["at_ms"],
            "pool_minutes": point["pool_minutes"],
            **dict(zip(names, point["occupancy"], strict=True)),
        }
        for point in document["points"]
    ]


@dataclass(frozen=True, slots=True)
class Question:
    """What can be asked: its options become the query, its columns the table (empty: all there are)."""

    summary: str
    path: str
    options: Mapping[str, str]
    columns: tuple[str, ...]
    example: str
    rows: Callable[[Mapping[str, Any]], Rows] = _items
    below: Callable[[Mapping[str, Any]], str] = lambda _document: ""
    """What a person reads below the table."""
    nothing: str = "nothing is known of that"
    """What a person reads where there is no row."""
    most: int | None = 0
    """Of a list that comes in pages, how many items where no --limit says so (None: all); 0: it comes as one answer."""


QUESTIONS: Mapping[str, Question] = {
    "trend": Question(
        "one pool over time",
        "/v1/trend",
        {
            "host": "whose pool",
            "local": "its source address",
            "peer": "the backend, IP:PORT",
            "netns": "its network namespace, where the host has several",
            **_WINDOW,
            "step": "seconds a point",
        },
        ("at_ms", "min", "mean", "max", "capacity"),
        "--host lb1 --local 10.0.3.7 --peer 10.0.9.21:8080 --from 2026-11-22",
        _points,
        _losses,
    ),
    "top": Question(
        "the pools that came closest to their end",
        "/v1/top",
        _WINDOW | _LIMIT,
        (*_POOL, "occupancy", "hour_ms"),
        "--limit 20",
    ),
    "growth": Question(
        "the pools whose peaks rose most, from the first half of the window to the second",
        "/v1/growth",
        _WINDOW | _LIMIT,
        (*_POOL, "before", "after", "rise"),
        "--from 2026-11-20",
    ),
    "peers": Question(
        "which hosts press on a backend",
        "/v1/peers",
        {"peer": "the backend, IP or IP:PORT", **_WINDOW, **_LIMIT},
        (*_POOL, "occupancy", "hour_ms"),
        "--peer 10.0.9.21:8080",
    ),
    "near-misses": Question(
        "by week, the pools that came closest to their end, and what was left",
        "/v1/near-misses",
        _WINDOW | _LIMIT,
        ("week_ms", *_POOL, "occupancy", "margin"),
        "--limit 5",
    ),
    "fleet": Question(
        "how full all pools were, as quantiles over time",
        "/v1/fleet",
        {**_WINDOW, "step": "seconds a point, whole minutes", "quantiles": "like 0.5,0.95"},
        (),
        "--quantiles 0.95,1",
        _levels,
    ),
    "plan": Question(
        "which pools will need what by when at the current growth, and what a change would bring",
        "/v1/plan",
        {
            "horizon": "days ahead (90)",
            "host": "of this host only",
            "role": "of hosts of this role only",
            "peer": "towards this backend: IP, IP:PORT, NETWORK/BITS or :PORT",
            "add_backends": "what if so many more backends of the same port took their share",
            "add_addresses": "what if every host had so many more source addresses",
            "range": "what if every host's port range were this, and is it safe: LOW-HIGH",
            **_LIMIT,
        },
        (*_POOL, *PLAN_COLUMNS),
        "--horizon 90 --range 1024-65535",
        rows=plan_rows,
        below=plan_below,
    ),
    "drift": Question(
        "hosts whose settings differ from those of their role",
        "/v1/drift",
        {},
        ("host", "settings"),
        "--json",
        nothing="no host differs from its role",
        most=None,
    ),
    "hosts": Question(
        "every host that ever reported, and how it is now",
        "/v1/hosts",
        {},
        ("host", "role", "state", "last_seen_ms", "missing", "skew_ms", "agent_version"),
        "--json",
        nothing="no host has reported yet",
        most=None,
    ),
    "lagging": Question(
        "hosts of an older version than the newest, or without the revision meant for them",
        "/v1/lagging",
        {},
        ("host", "role", "agent_version", "why"),
        "--json",
        nothing="no host lags: all that report have the newest version and the revision meant for them",
        most=None,
    ),
    "pools": Question(
        "the latest readings, the hottest first",
        "/v1/pools",
        {"host": "of this host only", "peer": "towards this backend", "min_occupancy": "from 0 to 1", **_LIMIT},
        (*_POOL, "held", "capacity", "occupancy", "state"),
        "--min-occupancy 0.7",
        most=100,
    ),
}


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the commands."""
    for name, question in QUESTIONS.items():
        parser = add_command(subparsers, name, question.summary, f"portgauge-collector {name} {question.example}")
        for option, what in question.options.items():
            parser.add_argument(
                f"--{option.replace('_', '-')}", dest=f"query_{option}", metavar=_metavar(option), help=what
            )
        add_client(parser)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="print the answer as the API gives it")
        how.add_argument("--csv", action="store_true", help="print CSV")
        parser.set_defaults(run=run, question=question)


def add_client(parser: argparse.ArgumentParser) -> None:
    """Declare whom to ask, and as whom."""
    parser.add_argument("--url", help=f"the collector; also from {URL_VARIABLE} (default: {DEFAULT_URL})")
    what = f"a token of scope read; also from {TOKEN_VARIABLE}"
    parser.add_argument("--token-file", metavar="FILE", type=Path, help=what)
    parser.add_argument("--ca", metavar="FILE", type=Path, help="who vouches for the collector's certificate")


def query_of(args: argparse.Namespace) -> dict[str, str]:
    """The options that were given, by the names the API has for them."""
    given = {name.removeprefix("query_"): value for name, value in vars(args).items() if name.startswith("query_")}
    return {name: value for name, value in given.items() if value is not None}


def run(args: argparse.Namespace) -> int:
    """Ask, and print."""
    question: Question = args.question
    client, query = client_of(args.url, args.token_file, args.ca), query_of(args)
    limit = query.get("limit", "")
    if question.most == 0 or (limit and not limit.isdecimal()):
        document = client.ask(question.path, query)
    else:
        document = client.ask_whole(question.path, query, int(limit) if limit else question.most)
    print(shown(question, document, is_json=args.json, is_csv=args.csv).rstrip("\n"))
    return 0


def shown(question: Question, document: Mapping[str, Any], *, is_json: bool, is_csv: bool) -> str:
    """The answer as text."""
    if is_json:
        return json.dumps(document, indent=2, ensure_ascii=False)
    rows = question.rows(document)
    if is_csv:
        return as_csv(rows)
    below = question.below(document)
    if not rows:
        return "\n\n".join(filter(None, (question.nothing, below)))
    return "\n\n".join(filter(None, (table(rows, question.columns or tuple(rows[0])), below)))


def _metavar(option: str) -> str:
    return {"from": "TIME", "to": "TIME", "step": "SECONDS", "limit": "N", **PLAN_METAVARS}.get(option, option.upper())
