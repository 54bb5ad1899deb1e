"""Where it all comes together: a collector over PostgreSQL and an Alertmanager, on a machine of their own."""

import dataclasses
import functools
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.alerts.builtin import BUILT_IN
from collector.alerts.conditions import PRESSED
from collector.alerts.rules import Rule
from tests import postgres
from tests.acceptance.parts import DidNotStart
from tests.alertmanager import alertmanager, alerts_of
from tests.collector_process import Serving, a_token, run, serving
from tests.fleet import wires
from tests.fleet.wires import Switch
from tests.netns import Netns, fresh_netns
from tests.secret import a_secret

PORT = 8766
HURRIED_S = 3.0
"""What hold and keep times of the built-in rules are cut to in a run that is in a hurry."""


@dataclass(slots=True)
class Centre:
    """The collector can be killed and started again; what is asked of it is asked over HTTP."""

    netns: Netns
    database: str
    config: Path
    log: Path
    alertmanager: str
    reader: str
    _life: ExitStack = field(default_factory=ExitStack)
    _serving: Serving | None = None

    @property
    def url(self) -> str:
        """Of the collector."""
        return f"http://{wires.COLLECTOR}:{PORT}"

    def start(self) -> None:
        """Returns once it listens."""
        begin = serving(self.database, "--config", self.config, listen=f"{wires.COLLECTOR}:{PORT}", log=self.log)
        self._serving = self.netns.run(functools.partial(self._life.enter_context, begin))

    def kill(self) -> None:
        """As the OOM killer would."""
        assert self._serving
        self._serving.process.kill()
        self._serving.process.wait()
        self.close()

    def close(self) -> None:
        """End the collector, if it runs."""
        self._life.close()
        self._serving = None

    def items(self, path: str) -> list[dict[str, Any]]:
        """What an address of the API lists. Raises URLError or TimeoutError."""
        assert self._serving
        body = self.netns.run(self._serving.get, path, self.reader)
        found: list[dict[str, Any]] = json.loads(body)["items"]
        return found

    def notices(self) -> list[dict[str, Any]]:
        """What Alertmanager holds as firing."""
        return self.netns.run(alerts_of, self.alertmanager)

    def command(self, *arguments: str | Path) -> str:
        """What a command of the collector prints."""
        done = run(*arguments, "--database", self.database)
        if done.returncode:
            raise DidNotStart(f"portgauge-collector {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def roll_out(self, file: Path, settings: str, *options: str, bake: str) -> int:
        """Begin with these settings, for all hosts after the canaries. Answers the number of the revision."""
        file.write_text(settings)
        how = ["--steps", "100", "--bake", bake, "--reason", "fleet", *options]
        return int(self.command("rollout", "start", "--settings", file, *how))

    def having(self, revision: int) -> set[str]:
        """Hosts on which it is in force."""
        told = {one["host"]: one["agent"] for one in self.items("/v1/hosts")}
        return {host for host, agent in told.items() if agent and agent["revision"] == revision}

    def join_token(self, uses: int, directory: Path) -> Path:
        """A file with a secret for so many hosts."""
        made = self.command("token", "create", "--scope", "join", "--uses", str(uses), "--expires", "1h")
        return a_secret(directory / "join-token", made)


@contextmanager
def centre(switch: Switch, directory: Path, rules: Sequence[Rule]) -> Iterator[Centre]:
    """All of it running, with these rules."""
    with ExitStack() as stack:
        netns = stack.enter_context(fresh_netns())
        switch.plug_in(netns, wires.COLLECTOR)
        database = stack.enter_context(postgres.cluster(postgres.QUICK)).url()
        if run("migrate", "--database", database).returncode:
            raise DidNotStart("the database cannot be migrated")
        manager = alertmanager(directory / "alertmanager")
        address = netns.run(functools.partial(stack.enter_context, manager))
        config = directory / "collector.toml"
        config.write_text(config_text(rules, address))
        reader = a_token(database, "--scope", "read")
        made = Centre(netns, database, config, directory / "collector.log", address, reader)
        stack.callback(made.close)
        made.start()
        yield made


def rules_for(hosts: int, *, is_hurried: bool) -> tuple[Rule, ...]:
    """The built-in ones, for so many hosts: with their own times, or with times cut to HURRIED_S. Pure."""
    return tuple(_within_reach(_hurried(rule) if is_hurried else rule, hosts) for rule in BUILT_IN)


def changes(rules: Sequence[Rule]) -> list[str]:
    """What differs from the built-in ones, in words: `host-silent holds 3 s, not 30 s`. Pure."""
    named = (("hold_s", "holds", " s"), ("keep_s", "keeps", " s"), ("raise_at", "is raised at", ""))
    return [
        f"{rule.name} {verb} {getattr(rule, key):g}{unit}, not {getattr(own, key):g}{unit}"
        for rule, own in zip(rules, BUILT_IN, strict=True)
        for key, verb, unit in named
        if getattr(rule, key) != getattr(own, key)
    ]


def config_text(rules: Sequence[Rule], address: str) -> str:
    """The collector's configuration: Alertmanager, and rules where they are not just the built-in ones. Pure."""
    tables = [] if tuple(rules) == BUILT_IN else [_table(rule) for rule in rules]
    return "\n".join([*tables, "[[channel]]", 'name = "alertmanager"', f'url = "alertmanager+http://{address}"', ""])


def _hurried(rule: Rule) -> Rule:
    return dataclasses.replace(rule, hold_s=min(rule.hold_s, HURRIED_S), keep_s=min(rule.keep_s, HURRIED_S))


def _within_reach(rule: Rule, hosts: int) -> Rule:
    """Fewer hosts than press on a backend in the built-in rule cannot wait for the fifth."""
    if rule.measure is not PRESSED or rule.raise_at is None or rule.clear_at is None or hosts >= rule.raise_at:
        return rule
    return dataclasses.replace(rule, raise_at=float(hosts), clear_at=min(rule.clear_at, hosts - 1.0))


def _table(rule: Rule) -> str:
    lines = ["[[rule]]"]
    for one in dataclasses.fields(rule):
        value = getattr(rule, one.name)
        if one.name == "where":
            named = {key: list(found) for key, found in dataclasses.asdict(value).items() if found}
            lines += [f"where.{key} = {json.dumps(found)}" for key, found in named.items()]
        elif value not in (None, ()):
            lines.append(f"{one.name} = {json.dumps(value)}")
    return "\n".join([*lines, ""])
