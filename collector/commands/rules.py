"""`rules`: check, list and try rules before they watch anything."""

import argparse
import json
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.ruleset import in_force
from collector.api.rules import watched_shape
from collector.commands.ask import add_client
from collector.commands.client import client_of
from collector.commands.common import Subparsers, add_command
from collector.config import Config
from shared import settings
from shared.settings import build

EXAMPLE = "portgauge-collector rules check collector.toml"
_KEYS = tuple(one.name for one in fields(Rule))
DIFFERS = 1


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own commands."""
    parser = add_command(subparsers, "rules", "check, list and try rules", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = add_command(actions, "check", "say whether a configuration's rules can work", EXAMPLE)
    check.add_argument("config", metavar="FILE", type=Path)
    check.set_defaults(run=run_check)
    listing = add_command(actions, "list", "list what is watched", "portgauge-collector rules list --json")
    listing.add_argument("--config", metavar="FILE", type=Path, help="without it, the built-in rules")
    what = "ask a running collector (--url, --token-file) what is in force, rules made by its API among it"
    listing.add_argument("--running", action="store_true", help=what)
    add_client(listing)
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    test = add_command(actions, "test", "play a story to the rules", "… rules test story.toml --config collector.toml")
    test.add_argument("story", metavar="STORY", type=Path, help="readings over time, and what should be heard (TOML)")
    test.add_argument("--config", metavar="FILE", type=Path, help="without it, the built-in rules")
    test.set_defaults(run=run_test)


def run_check(args: argparse.Namespace) -> int:
    """A mistake is an error with file, line, key and the nearest valid name."""
    rules = settings.load(Config, args.config).rule
    print(f"{args.config}: {len(rules)} rules, all can work" + (" (the built-in ones)" if rules == BUILT_IN else ""))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """One line a rule, with where it comes from."""
    items = _running(args) if args.running else _watched(_rules(args.config))
    if args.json:
        print(json.dumps({"items": items}, indent=2))
        return 0
    for item in items:
        rule = build(Rule, {key: item[key] for key in _KEYS if item.get(key) is not None}, "collector")
        print(f"{item['origin']:<8}  {line(rule)}")
    return 0


def run_test(args: argparse.Namespace) -> int:
    """What was heard, and 1 where that is not what the story says."""
    from collector.alerts.rehearsal import Heard, Rehearsal, rehearse  # noqa: PLC0415 - numpy takes half a second

    rehearsal = settings.load(Rehearsal, args.story)
    heard = rehearse(_rules(args.config), rehearsal)
    for one in heard:
        print(f"{one.at_s:>8g} s  {one.state:<8}  {one.rule}  {one.subject}")
    wanted = [Heard(one.at_s, one.state, one.rule) for one in rehearsal.heard]
    if not _says_what_is_heard(args.story) or wanted == [Heard(one.at_s, one.state, one.rule) for one in heard]:
        return 0
    print("the story says otherwise:")
    for one in wanted:
        print(f"{one.at_s:>8g} s  {one.state:<8}  {one.rule}")
    return DIFFERS


def line(rule: Rule) -> str:
    """`page  pool-nearly-full  pool occupancy ≥ 0.85, clear < 0.75, hold 0 s`."""
    raise_sign, clear_sign = ("≤", ">") if rule.measure.is_below else ("≥", "<")
    clear = rule.raise_at if rule.clear_at is None else rule.clear_at
    levels = "" if rule.raise_at is None else f" {raise_sign} {rule.raise_at:g}, clear {clear_sign} {clear:g}"
    times = "".join(f", {word} {value:g} s" for word, value in (("hold", rule.hold_s), ("keep", rule.keep_s)) if value)
    return f"{rule.severity}  {rule.name:<20} {rule.subject} {rule.condition}{levels}{times}"


def _rules(config: Path | None) -> Sequence[Rule]:
    return settings.load(Config, config).rule if config else BUILT_IN


def _watched(configured: Sequence[Rule]) -> list[dict[str, Any]]:
    shapes = [watched_shape(one) for one in in_force(configured, ())]
    plain: list[dict[str, Any]] = json.loads(msgspec.json.encode(shapes))
    return plain


def _running(args: argparse.Namespace) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client_of(args.url, args.token_file, args.ca).ask("/v1/rules", {})["items"]
    return items


def _says_what_is_heard(story: Path) -> bool:
    given: dict[str, Any] = tomllib.loads(story.read_text(encoding="utf-8"))
    return "heard" in given
