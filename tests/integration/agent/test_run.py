"""A real agent and a real collector: what one sees, the other tells, whatever ends in between."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector_process import Serving, a_token, migrated, serving
from tests.netns import end
from tests.secret import a_secret

PROGRAM = Path(sys.executable).with_name("portgauge-agent")
HOST = "lb1"
WRONG = "pg_000000000000_wrong"
PATIENCE_S = 60.0


class AnAgent:
    """`portgauge-agent run` with a spool and a token of its own; looks at its own namespace, not at other tests'."""

    def __init__(self, place: Path, token: str) -> None:
        self._token_file = a_secret(place / "token", token)
        self._spool, self.log = place / "spool", place / "agent.log"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, url: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [str(PROGRAM), "run", "--collector", url, "--token-file", str(self._token_file)]
        command += ["--host", HOST, "--role", "edge", "--interval", "0.2", "--spool", str(self._spool)]
        with self.log.open("ab") as log:
            self._started.append(subprocess.Popen([*command, "--netns", "own", *arguments], stderr=log))
        return self._started[-1]

    def end(self) -> None:
        """Whatever a failed test left running."""
        end(self._started)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return migrated(tmp_path)


@pytest.fixture
def agent(tmp_path: Path, database: Path) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path, a_token(database, "--scope", "push", "--host", HOST))
    yield made
    made.end()


@pytest.fixture
def told(database: Path) -> Callable[[Serving], Any]:
    token = a_token(database, "--scope", "read")
    return lambda collector: json.loads(collector.get("/v1/hosts", token))["items"]


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "did not come true in time"
        time.sleep(0.05)


def received(told: Callable[[Serving], Any], collector: Serving) -> int:
    return sum(host["received"] for host in told(collector))


def stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(5)


def test_an_agent_reports_its_host_and_stops_cleanly(
    database: Path, agent: AnAgent, told: Callable[[Serving], Any]
) -> None:
    with serving(database) as collector:
        process = agent.start(collector.url)
        until(lambda: received(told, collector) >= 3)
        assert stop(process) == 0
        (host,) = told(collector)

    assert (host["host"], host["role"], host["state"]) == (HOST, "edge", "reporting")
    assert (host["missing"], host["duplicates"]) == (0, 0)
    assert host["last_seq"] == host["received"]


def test_what_was_taken_while_the_collector_was_away_arrives_later(
    database: Path, agent: AnAgent, told: Callable[[Serving], Any]
) -> None:
    with serving(database) as collector:
        address = collector.url.removeprefix("http://")
        process = agent.start(collector.url)
        until(lambda: received(told, collector) >= 1)
        collector.stop(signal.SIGKILL)
    time.sleep(1.5)
    with serving(database, listen=address) as collector:
        until(lambda: received(told, collector) >= 6 and told(collector)[0]["missing"] == 0)
        assert stop(process) == 0
        (host,) = told(collector)

    assert host["received"] == host["last_seq"]


def test_a_killed_agent_goes_on_where_it_was(database: Path, agent: AnAgent, told: Callable[[Serving], Any]) -> None:
    with serving(database) as collector:
        first = agent.start(collector.url)
        until(lambda: received(told, collector) >= 2)
        first.kill()
        first.wait()
        (before,) = told(collector)
        second = agent.start(collector.url)
        until(lambda: received(told, collector) >= before["received"] + 2)
        assert stop(second) == 0
        (after,) = told(collector)

    assert after["boot_id"] == before["boot_id"]
    assert after["last_seq"] > before["last_seq"]
    assert after["missing"] == 0


def test_a_wrong_token_is_said_once_and_a_right_one_taken_up(
    database: Path, tmp_path: Path, told: Callable[[Serving], Any]
) -> None:
    agent = AnAgent(tmp_path, WRONG)
    with serving(database) as collector:
        process = agent.start(collector.url)
        until(lambda: "answered 401" in agent.log.read_text())
        time.sleep(1)
        assert stop(process) == 0
        log = agent.log.read_text()
        assert told(collector) == []

    assert log.count("answered 401") == 1
    assert WRONG not in log


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--collector", "nonsense"], "collector: need a URL"),
        (["--interval", "0"], "'0' is not a number of seconds above 0"),
        (["--config", "/nonexistent.toml"], "/nonexistent.toml: cannot be read"),
        (["--token-file", "/nonexistent"], "the token file /nonexistent cannot be used"),
        (["--spool", "/proc/nowhere"], "the spool /proc/nowhere/spool.db cannot be used"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_an_agent_that_cannot_start_says_why_in_one_line(agent: AnAgent, arguments: list[str], message: str) -> None:
    process = agent.start("http://127.0.0.1:9", *arguments)

    assert process.wait(20) == 2
    lines = agent.log.read_text().splitlines()
    assert message in lines[-1]
    assert "Traceback" not in agent.log.read_text()


def test_flags_override_the_configuration_file(
    database: Path, agent: AnAgent, told: Callable[[Serving], Any], tmp_path: Path
) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('host = "from-file"\ninterval_s = 0.3\n[labels]\nsite = "eu"\n')
    with serving(database) as collector:
        process = agent.start(collector.url, "--config", str(config))
        until(lambda: received(told, collector) >= 1)
        assert stop(process) == 0
        (host,) = told(collector)

    assert (host["host"], host["labels"]) == (HOST, {"site": "eu", "role": "edge"})


def test_an_unknown_key_is_named_with_the_nearest(agent: AnAgent, tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text("intervall_s = 3\n")

    process = agent.start("http://127.0.0.1:9", "--config", str(config))

    assert process.wait(20) == 2
    assert "intervall_s: unknown key; did you mean 'interval_s'?" in agent.log.read_text()
