"""`--json` of every command has the keys that docs/commands.md shows, and no other."""

import json
import re
import socket
from pathlib import Path

import pytest

from agent.__main__ import main as agent
from agent.drill.timeline import Delivery, Mark, Timeline
from agent.drill.words import document
from collector.__main__ import main as collector
from collector.commands.ask import QUESTIONS
from tests.documented import PAGE, ROOT, SHOWN, same
from tests.netns import Netns
from tests.secret import a_secret
from tests.sockets import connect, listen


@pytest.fixture
def host(netns: Netns, keep: list[socket.socket]) -> Netns:
    """300 ports; 255 held towards one backend."""
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40299")
    netns.run(connect, keep, netns.run(listen, keep, 9001), 255)
    return netns


AGENT = {
    "portgauge-agent pools --json": ("pools", "--netns", "own"),
    "portgauge-agent check --json": ("check", "--netns", "own"),
    "portgauge-agent explain --json": ("explain", "--local", "127.0.0.1", "--peer", "127.0.0.1:9001"),
    "portgauge-agent advise --json": ("advise", "--netns", "own"),
    "portgauge-agent doctor --json": ("doctor",),
}


@pytest.mark.parametrize("command", AGENT)
def test_the_agent_prints_what_is_documented(host: Netns, capsys: pytest.CaptureFixture[str], command: str) -> None:
    host.run(agent, [*AGENT[command], "--json"])
    same(command, json.loads(capsys.readouterr().out))


def test_the_agent_shows_its_configuration_as_documented(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A key each; all of them are in docs/configuration.md."""
    token = a_secret(tmp_path / "token", "pg_x")
    given = ["--collector", "http://127.0.0.1:8766", "--token-file", str(token), "--spool", str(tmp_path / "spool.db")]
    assert agent(["config", "check", "--json", *given]) == 0
    [shown] = json.loads(SHOWN["portgauge-agent config check --json"]).values()
    assert all(one.keys() == shown.keys() for one in json.loads(capsys.readouterr().out).values())


def test_a_drill_tells_what_is_documented() -> None:
    """One is run for real in tests/integration/agent/test_drill.py."""
    mark = Mark(rule="pool-half-full", severity="plan", level=0.5, hold_s=0.0, needed=150, crossed_ms=1)
    told = Delivery(severity="plan", channel="log", state="firing", outcome="delivered", at_ms=2, detail="logged")
    timeline = Timeline(host="lb1", peer="127.0.0.1:9001", within_s=10.0, marks=[mark], deliveries=[told])
    same("portgauge-agent drill --json", document(timeline))


@pytest.fixture
def database(tmp_path: Path) -> str:
    file = str(tmp_path / "history.db")
    assert collector(["migrate", "--database", file]) == 0
    assert collector(["token", "create", "--scope", "read", "--database", file]) == 0
    silence = ["silence", "add", "--host", "lb1", "--for", "1h", "--reason", "r", "--author", "ops"]
    assert collector([*silence, "--database", file]) == 0
    (tmp_path / "tune.toml").write_text("interval_s = 5\n")
    rollout = ["rollout", "start", "--settings", str(tmp_path / "tune.toml"), "--reason", "r"]
    assert collector([*rollout, "--database", file]) == 0
    return file


@pytest.mark.parametrize("words", ["token list", "silence list", "rollout status", "audit"])
def test_the_collector_lists_what_is_documented(database: str, capsys: pytest.CaptureFixture[str], words: str) -> None:
    capsys.readouterr()
    assert collector([*words.split(), "--json", "--database", database]) == 0
    same(f"portgauge-collector {words} --json", json.loads(capsys.readouterr().out))


def test_rules_are_listed_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert collector(["rules", "list", "--json"]) == 0
    same("portgauge-collector rules list --json", json.loads(capsys.readouterr().out))


def test_every_command_with_json_is_told_of() -> None:
    questions = PAGE[PAGE.index("## Questions") :]
    assert [name for name in QUESTIONS if not re.search(rf"`(portgauge-collector )?{name}`", questions)] == []
    types = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]
    assert set(re.findall(r"`((?:Listing|Ranking)_\w+|Trend|Fleet)`", questions)) <= types.keys()
    sources = [*(ROOT / "agent" / "commands").glob("*.py"), *(ROOT / "collector" / "commands").glob("*.py")]
    printing = [one.stem for one in sources if '"--json", action' in one.read_text() and one.stem != "ask"]
    assert [name for name in printing if not any(re.search(rf" {name}\b", command + " ") for command in SHOWN)] == []
