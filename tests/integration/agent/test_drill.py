"""The drill with everything real: an agent that sees all namespaces, a collector, a webhook, a namespace of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.netns.entering import own_inode
from benchmarks.alerting import receiver
from tests.agent_process import PROGRAM, AnAgent, until
from tests.collector_process import Serving, a_token, migrated, serving
from tests.secret import a_secret
from tests.terminal import in_terminal

HOST = "lb-drill"
CONFIG = """
[[rule]]
name = "warm"
severity = "plan"
raise_at = 0.50

[[rule]]
name = "hot"
severity = "page"
raise_at = 0.80
"""
FAST = ("--ports", "60", "--rate", "20", "--within", "60", "--json")


@contextmanager
def a_collector(place: Path, channel: str = "") -> Iterator[tuple[Serving, Path, str]]:
    """It runs; a file with a token to read, and one to push."""
    database, config = migrated(place), place / "collector.toml"
    config.write_text(CONFIG + channel)
    reader = a_secret(place / "reader", a_token(database, "--scope", "read"))
    pusher = a_token(database, "--scope", "push", "--host", HOST)
    with serving(database, "--config", config) as collector:
        yield collector, reader, pusher


def drilled(collector: Serving, reader: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    asked = ["--collector", collector.url, "--token-file", str(reader), "--host", HOST]
    return subprocess.run(
        [PROGRAM, "drill", *asked, *FAST, *arguments], capture_output=True, text=True, timeout=110, check=False
    )


@pytest.mark.usefixtures("namespaces")
def test_who_is_told_and_when_from_the_kernel_to_the_webhook_and_back(tmp_path: Path) -> None:
    before = own_inode(), Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    agent = AnAgent(tmp_path / "agent", {})
    with receiver() as (url, taken):
        channel = f'[[channel]]\nname = "hook"\nurl = "{url}"\n'
        with a_collector(tmp_path, channel) as (collector, reader, pusher):
            a_secret(agent.token, pusher)
            agent.configure(collector=collector.url, host=HOST, interval_s=1.0)
            agent.config.write_text(agent.config.read_text().replace('netns = ["own"]', ""))
            agent.start()
            try:
                until(lambda: bool(json.loads(collector.get("/v1/hosts", reader.read_text()))["items"]))
                done = drilled(collector, reader)
            finally:
                agent.end()
        told = json.loads(done.stdout)
        assert done.returncode == 0, (told, done.stderr)
        assert [(one["rule"], one["needed"]) for one in told["rules"]] == [("warm", 30), ("hot", 48)]
        for one in told["rules"]:
            assert one["crossed_ms"] <= one["fired_ms"]
        page = [(one["state"], one["channel"]) for one in told["notices"] if one["severity"] == "page" and one["at_ms"]]
        assert page == [("firing", "hook"), ("resolved", "hook")], told
        assert taken.get(timeout=1)[0] == HOST
    assert before == (own_inode(), Path("/proc/sys/net/ipv4/ip_local_port_range").read_text())


@pytest.mark.usefixtures("namespaces")
def test_without_an_agent_it_says_which_step_did_not_come(tmp_path: Path) -> None:
    with a_collector(tmp_path) as (collector, reader, _):
        asked = ["--collector", collector.url, "--token-file", str(reader), "--host", HOST]
        seen = in_terminal([PROGRAM, "drill", *asked, *FAST, "--patience", "1"], is_piped=True)

    told = json.loads(seen.piped)
    assert seen.status == 1
    assert "never had a reading of the pool" in told["missing"]
    assert seen.terminal == "waiting until the collector knows the pool\r\n"
    assert not [one for one in Path("/proc").iterdir() if _is_a_drill(one)]


def _is_a_drill(process: Path) -> bool:
    try:
        return process.name.isdigit() and HOST in (process / "cmdline").read_text()
    except OSError:
        return False
