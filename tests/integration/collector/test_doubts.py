"""Hosts that are not what they seem, told by a running collector: twins, wrong clocks, new names."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.model import Snapshot
from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, serving
from tests.hammer import wait_until

RULES = """
[[rule]]
name = "two-machines"
severity = "plan"
subject = "host"
condition = "contested"

[[rule]]
name = "clock"
severity = "plan"
subject = "host"
condition = "clock-off"
raise_at = 60

[[rule]]
name = "gone"
severity = "page"
subject = "host"
condition = "silent"
"""
"""As the built-in ones, but nobody waits a minute for them here."""
INTERVAL_MS = 1_000
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Story:
    """A collector, and what was sent to it; each test tells of hosts of its own."""

    collector: Serving
    push: str
    read: str
    seqs: dict[tuple[str, str], int] = field(default_factory=dict)

    def ask(self, path: str) -> Any:
        return json.loads(self.collector.get(path, self.read))

    def firing(self, host: str) -> set[str]:
        """Names of the rules that fire about the host."""
        return {one["rule"] for one in self.ask("/v1/alerts?state=firing")["items"] if one["host"] == host}

    def tell(self, host: str, machine: str = "a", *, off_ms: int = 0) -> int:
        """The next snapshot of that machine under that name, and its status."""
        which = (host, machine)
        seq = self.seqs[which] = self.seqs.get(which, 0) + 1
        boot_id = f"boot-{machine}"
        made = a_snapshot(a_reading(5), host=host, boot_id=boot_id, seq=seq, taken_at_ms=now_ms() + off_ms)
        return self.send(made, machine)

    def send(self, snapshot: Snapshot, machine: str) -> int:
        snapshot = replace(snapshot, machine_id=machine * 32, interval_ms=INTERVAL_MS)
        return self.collector.push(snapshot, self.push)


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    place = tmp_path_factory.mktemp("doubts")
    database, config = migrated(place), place / "collector.toml"
    config.write_text(RULES)
    push, read = (a_token(database, "--scope", scope) for scope in ("push", "read"))
    with serving(database, "--config", config) as collector:
        yield Story(collector, push, read)
        assert collector.stop(within_s=60) == 0
    assert "Traceback" not in collector.log.read_text()


def test_two_machines_under_one_name_are_told(story: Story) -> None:
    for machine in "abab":
        assert story.tell("twins", machine) == 202
    wait_until(lambda: "two-machines" in story.firing("twins"))
    assert story.ask("/v1/hosts/twins")["contested"] is True


def test_two_agents_with_one_identity_are_told_and_the_first_is_believed(story: Story) -> None:
    """One spool on two hosts: the same name, boot and number, and another content."""
    first = a_snapshot(a_reading(5), host="copied", seq=7, taken_at_ms=now_ms())
    assert story.send(first, "a") == 202
    assert story.send(replace(first, readings=(a_reading(299),)), "a") == 409
    assert story.send(first, "a") == 202
    wait_until(lambda: "two-machines" in story.firing("copied"))
    host = story.ask("/v1/hosts/copied")
    assert (host["received"], host["duplicates"]) == (1, 1)
    assert [pool["held"] for pool in story.ask("/v1/pools?host=copied")["items"]] == [5]
    assert "do two agents share one spool?" in story.collector.log.read_text()


@pytest.mark.parametrize("off_ms", [HOUR_MS, -HOUR_MS])
def test_a_clock_that_is_an_hour_off_is_told_and_nothing_is_of_the_future(story: Story, off_ms: int) -> None:
    name = f"clock{off_ms}"
    assert story.tell(name, off_ms=off_ms) == 202
    wait_until(lambda: "clock" in story.firing(name))
    host = story.ask(f"/v1/hosts/{name}")
    assert abs(host["skew_ms"] - off_ms) < HOUR_MS / 2
    end_s = now_ms() / 1000 + 2 * HOUR_MS / 1000
    query = f"host={name}&from={end_s - 4 * 3600}&to={end_s}"
    lines = story.collector.get(f"/v1/export?{query}", story.read).decode().splitlines()
    [taken_ms] = [int(line.split(",")[0]) for line in lines[1:]]
    assert taken_ms <= now_ms()


def test_a_host_that_is_renamed_is_another_and_the_old_name_falls_silent(story: Story) -> None:
    assert story.tell("old") == 202

    def old_is_told() -> bool:
        assert story.tell("new") == 202
        return "gone" in story.firing("old")

    wait_until(old_is_told)
    assert story.firing("old") == {"gone"}
    assert "two-machines" not in story.firing("new")
    states = {name: story.ask(f"/v1/hosts/{name}")["state"] for name in ("old", "new")}
    assert states["old"] == "silent"
