"""The fleet's configuration on real agents: it reaches them, one refuses it, one undoes it; a blind canary halts it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent_process import PATIENCE_S, AnAgent, until
from tests.collector_process import Serving, a_token, migrated, run, serving
from tests.secret import a_secret

pytestmark = pytest.mark.timeout(600)
"""Half a minute each where nothing else runs: every program that is started is read from the disk first."""


class Fleet:
    """A collector, and agents of role edge that report each 0.2 s.

    Agents, collector and test are on a machine that may be slow: what another thread brings about is waited for, and
    what belongs together is asked once.
    """

    def __init__(self, place: Path, database: Path, collector: Serving) -> None:
        self.place, self.database, self.collector = place, database, collector
        self._reader = a_token(database, "--scope", "read")
        self.agents: dict[str, AnAgent] = {}

    def add(self, name: str, labels: int = 0, netns: str = "own") -> AnAgent:
        agent = AnAgent(self.place / name, {})
        a_secret(agent.token, a_token(self.database, "--scope", "push", "--host", name))
        agent.configure(collector=self.collector.url, host=name, role="edge", interval_s=0.2)
        own = "".join(f'own{number} = "x"\n' for number in range(labels))
        text = agent.config.read_text().replace('"own"', f'"{netns}"')
        agent.config.write_text(f"{text}\n[labels]\n{own}")
        agent.start()
        self.agents[name] = agent
        until(lambda: name in self.hosts())
        return agent

    def start(self, settings: str, *canaries: str, bake: str = "1s") -> str:
        file = self.place / "tune.toml"
        file.write_text(settings)
        named = [part for canary in canaries for part in ("--canary", canary)]
        how = ["--steps", "100", "--bake", bake, "--most-cpu-share", "1"]  # A busy machine is not what is tried here.
        options = ["--settings", str(file), "--reason", "test", *how, *named]
        made = run("rollout", "start", *options, "--database", self.database)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def standing(self) -> Any:
        return json.loads(self.collector.get("/v1/rollouts", self._reader))["items"][0]

    def hosts(self) -> dict[str, Any]:
        items = json.loads(self.collector.get("/v1/hosts", self._reader))["items"]
        return {item["host"]: item for item in items}

    def in_force(self) -> dict[str, int]:
        return {name: item["agent"]["revision"] for name, item in self.hosts().items()}

    def agent_after(self, name: str, started_ms: int) -> dict[str, int]:
        """What is told of the host's agent once it is another than the one that started then."""
        until(lambda: self.hosts()[name]["agent"]["started_ms"] != started_ms)
        told: dict[str, int] = self.hosts()[name]["agent"]
        return told

    def until_in_force(self, expected: dict[str, int]) -> None:
        until(lambda: self.in_force() == expected)

    def halts_because(self, why: str) -> None:
        until(lambda: self.standing()["state"] != "running")
        halted = self.standing()
        assert halted["state"] == "halted"
        assert why in halted["why"]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    database = migrated(tmp_path)
    with serving(database) as collector:
        made = Fleet(tmp_path, database, collector)
        yield made
        for agent in made.agents.values():
            agent.end()


def test_a_revision_reaches_three_agents_and_stays_over_a_restart_and_an_abort_takes_it_back(fleet: Fleet) -> None:
    for name in ("lb1", "lb2", "lb3"):
        fleet.add(name)
    number = int(fleet.start('[labels]\ntier = "1"\n', "lb1"))
    until(lambda: fleet.standing()["state"] == "done")
    fleet.until_in_force(dict.fromkeys(("lb1", "lb2", "lb3"), number))
    until(lambda: {item["labels"].get("tier") for item in fleet.hosts().values()} == {"1"})
    fleet.agents["lb1"].until_logged("the fleet's configuration is applied")

    before = fleet.hosts()["lb1"]["agent"]["started_ms"]
    fleet.agents["lb1"].process.terminate()
    assert fleet.agents["lb1"].process.wait(PATIENCE_S) == 0
    fleet.agents["lb1"].start()
    restarted = fleet.agent_after("lb1", before)
    assert restarted["revision"] == number, "from its first sample on"

    assert run("rollout", "abort", str(number), "--database", fleet.database).returncode == 0
    until(lambda: set(fleet.in_force().values()) == {0})
    until(lambda: not any("tier" in item["labels"] for item in fleet.hosts().values()))


def test_a_host_it_does_not_fit_says_so_keeps_its_own_and_halts_it(fleet: Fleet) -> None:
    for name, labels in (("lb1", 31), ("lb2", 0), ("lb3", 0)):
        fleet.add(name, labels)
    number = int(fleet.start('interval_s = 0.3\n[labels]\ntier = "1"\n', "lb1", "lb2"))
    fleet.halts_because("lb1 does not use it: labels")
    fleet.until_in_force({"lb1": 0, "lb2": number, "lb3": 0})
    until(lambda: fleet.hosts()["lb1"]["state"] == "reporting")


def test_an_agent_whose_samples_fail_on_trial_goes_back_alone(fleet: Fleet) -> None:
    """Its namespace is not there, whatever it is told: that counts as the revision's fault until a sample succeeds."""
    agent = fleet.add("lb1", netns="gone-away")
    fleet.add("lb2")
    fleet.start('[labels]\ntier = "1"\n', "lb1", bake="1h")
    agent.until_logged("the fleet's configuration is undone, the last good one is in force")
    fleet.halts_because("samples failed after it was applied")
    until(lambda: "tier" not in fleet.hosts()["lb1"]["labels"])
    fleet.until_in_force({"lb1": 0, "lb2": 0})


def test_a_canary_that_goes_blind_halts_it(fleet: Fleet) -> None:
    agent = fleet.add("lb1")
    fleet.add("lb2")
    number = int(fleet.start('[labels]\ntier = "1"\n', "lb1", bake="1h"))
    agent.until_logged("the fleet's configuration is applied")
    until(lambda: "lb1" in fleet.standing()["baseline"])
    agent.config.write_text(agent.config.read_text().replace('"own"', '"gone-away"'))
    agent.process.send_signal(signal.SIGHUP)
    fleet.halts_because("lb1 has gone blind")
    fleet.until_in_force({"lb1": number, "lb2": 0})


def test_a_canary_that_stands_still_for_seconds_holds_it_until_it_goes_on(fleet: Fleet) -> None:
    agent = fleet.add("lb1")
    fleet.add("lb2")
    fleet.start('[labels]\ntier = "1"\n', "lb1", bake="1h")
    agent.until_logged("the fleet's configuration is applied")
    until(lambda: fleet.standing()["waits_for"].startswith("the end of its bake"))
    agent.process.send_signal(signal.SIGSTOP)
    until(lambda: fleet.standing()["waits_for"].startswith("lb1: silent since "))
    agent.process.send_signal(signal.SIGCONT)
    until(lambda: fleet.standing()["waits_for"].startswith("the end of its bake"))
    assert fleet.standing()["state"] == "running"
