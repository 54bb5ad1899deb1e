"""`replay`: the past judged again, for a post-mortem: who left its band first, what each rule and each notice said."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from collector.alerts.words import duration
from collector.api.params import InvalidParameter, Params
from collector.commands.ask import add_client
from collector.commands.client import CannotAsk, client_of
from collector.commands.common import Subparsers, add_command
from collector.config import Config
from shared import settings
from shared.answer import answer_of
from shared.clock import wall_ms

EXAMPLE = "portgauge-collector replay --from 2026-11-22T02:30 --to 2026-11-22T03:30 --rules stricter.toml --role edge"
_WHERE = {
    "host": "hosts (a shell pattern)",
    "role": "roles (a shell pattern)",
    "peer": "pools towards these backends: IP, IP:PORT, NETWORK/BITS or :PORT",
    "kind": "kinds of pools: connect, bind, udp",
    "netns": "network namespaces (a shell pattern)",
}
_TIMES = ("from", "to")
PATH = "/v1/replay"


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "replay", "judge the past again, by these rules or others", EXAMPLE)
    when = "2026-11-22T02:30 (UTC), or Unix seconds"
    parser.add_argument("--from", dest="from_", metavar="TIME", required=True, help=f"since when: {when}")
    parser.add_argument("--to", metavar="TIME", help="until when (default: now)")
    what = "a configuration whose [[rule]] tables are tried (default: the rules that the collector has)"
    parser.add_argument("--rules", metavar="FILE", type=Path, help=what)
    for name, meant in _WHERE.items():
        parser.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=f"{meant}; repeatable")
    add_client(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, show how far it is to a person, and print the timeline."""
    body = body_of(args)
    progress = Progress(sys.stderr, body["from_ms"], body.get("to_ms", wall_ms()))
    client = client_of(args.url, args.token_file, args.ca)
    with client.open(PATH, {}, body) as response:
        document = gathered((answer_of(line, client.place(PATH)) for line in response), progress)
    print(json.dumps(document, indent=2, ensure_ascii=False) if args.json else shown(document))
    return 0


def body_of(args: argparse.Namespace) -> dict[str, Any]:
    """What is asked. Raises InvalidParameter, SettingsError."""
    times = Params([(name, text) for name, text in zip(_TIMES, (args.from_, args.to), strict=True) if text], _TIMES)
    body: dict[str, Any] = {f"{name}_ms": at_ms for name in _TIMES if (at_ms := times.time_ms(name)) is not None}
    if "from_ms" not in body:
        raise InvalidParameter("from", "is required, like --from 2026-11-22T02:30")
    body["where"] = {name: getattr(args, name) for name in _WHERE}
    if args.rules:
        body["rules"] = [_given(asdict(rule)) for rule in settings.load(Config, args.rules).rule]
    return body


def _given(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if value is not None}


class Progress:
    """How far it is, on one line that is written over; nothing where nobody looks at a terminal."""

    def __init__(self, stream: TextIO, from_ms: int, to_ms: int) -> None:
        self._stream, self._is_seen = stream, stream.isatty()
        self._from_ms, self._span_ms = from_ms, max(1, to_ms - from_ms)

    def at(self, until_ms: int) -> None:
        """It has come so far."""
        share = min(1.0, max(0.0, (until_ms - self._from_ms) / self._span_ms))
        self._say(f"\r{share:4.0%}  {_clock(until_ms)}")

    def end(self) -> None:
        """Leave the line empty."""
        self._say("\r\x1b[K")

    def _say(self, text: str) -> None:
        if self._is_seen:
            with suppress(OSError):
                self._stream.write(text)
                self._stream.flush()


def gathered(lines: Iterator[dict[str, Any]], progress: Progress) -> dict[str, Any]:
    """The lines of the answer as one document. Raises CannotAsk where its last one never came."""
    items: list[Mapping[str, Any]] = []
    notices: list[Mapping[str, Any]] = []
    try:
        for line in lines:
            if "error" in line:
                raise CannotAsk(line["error"])
            if "done" in line:
                document: dict[str, Any] = line["done"]
                document["items"], document["notices"] = items, notices
                return document
            if "moment" in line:
                items.append(line["moment"])
            elif "notice" in line:
                notices.append(line["notice"])
            elif "until_ms" in line:
                progress.at(line["until_ms"])
    finally:
        progress.end()
    raise CannotAsk("the answer ended before the replay did; the collector's log may say why")


def shown(document: Mapping[str, Any]) -> str:
    """The timeline for a person."""
    lines = [(one["at_ms"], _line(one)) for one in document["items"]]
    lines += [(one["at_ms"], _told(one)) for one in document["notices"]]
    # Of one instant, first what changed: what was told follows from it.
    return "\n".join([*_head(document), *(line for _, line in sorted(lines, key=lambda line: line[0]))])


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    span = f"{_clock(document['from_ms'])} to {_clock(document['to_ms'])} UTC"
    yield f"{span}: {document['hosts']:,} hosts, {document['reports']:,} reports, {len(document['rules'])} rules"
    for one in document["sources"]:
        if one["tier"] != "raw":
            since, until = _clock(one["from_ms"]), _clock(one["to_ms"])
            yield f"by the {one['tier']}, each told by its worst, from {since} to {until}"
    for one in document["damaged"]:
        yield f"not readable: {one['host']}, {_clock(one['from_ms'])} to {_clock(one['to_ms'])}"
    for one in document["not_judged"]:
        yield f"not judged: {one['rule']}: {one['why']}"
    for one in document["standing"]:
        held_s = duration(document["from_ms"] - one["since_ms"])
        yield f"at the beginning: {one['rule']} {one['state']} for {held_s} or more, {one['summary']}"
    first = document["first"]
    if first:
        yield f"first to leave its band: {first['summary']} ({_clock(first['at_ms'])}, {first['rule']})"
    elif not document["items"]:
        yield "no rule would have said anything"
    held_back = sum(one["held_back"] is not None for one in document["items"])
    if held_back:
        yield f"silences of the time would have held back {held_back:,} of these changes"


def _line(one: Mapping[str, Any]) -> str:
    """`02:41:07  PAGE  pool-nearly-full  ok → firing  lb1: … holds 255 of 300 ports (85 %), 45 left`."""
    by = one["held_back"]
    severity = one["severity"].upper() if one["told"] and not by else one["severity"]
    why = f"  (held back: silence {by['id']} by {by['author']}, {by['reason']})" if by else ""
    what = f"{one['rule']:<20} {one['before']} → {one['after']:<8} {one['summary']}"
    return f"{_clock(one['at_ms'])}  {severity}  {what}{why}"


def _told(one: Mapping[str, Any]) -> str:
    """`02:41:07  ▶ told: PAGE lb1: … (one of 200 alerts on 200 hosts: backend …); to log, pager`."""
    again = ", again, grown" if one["telling"] == "grew" else ""
    first = f"; first of them {one['first']}" if one["first"] else ""
    return f"{_clock(one['at_ms'])}  ▶ told{again}: {one['summary']}{first}; to {', '.join(one['channels'])}"


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
