"""A real agent lets itself in, pushes, exchanges its token under way, and is shut out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent_process import AnAgent, until
from tests.collector_process import Serving, a_token, migrated, run, serving
from tests.secret import a_secret

JOIN = ("--scope", "join", "--role", "edge")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return migrated(tmp_path)


@pytest.fixture
def collector(database: Path) -> Iterator[Serving]:
    with serving(database) as running:
        yield running


class Story:
    """One host that has a join token and no other."""

    def __init__(self, place: Path, database: Path, collector: Serving) -> None:
        self.collector, self.database = collector, database
        self._reader = a_token(database, "--scope", "read")
        self.join = a_token(database, *JOIN)
        self.agent = AnAgent(place / "lb1", {})
        self.token = place / "lb1" / "state" / "token"
        join_file = a_secret(place / "join-token", self.join)
        self.agent.configure(
            collector=collector.url,
            host="lb1",
            role="edge",
            interval_s=0.2,
            token_file=str(self.token),
            join_token_file=str(join_file),
            log_level="debug",
        )

    def received(self) -> int:
        items = json.loads(self.collector.get("/v1/hosts", self._reader))["items"]
        return sum(item["received"] for item in items)

    def until_more_is_received(self) -> None:
        before = self.received()
        until(lambda: self.received() > before + 1)

    def deeds(self) -> list[Any]:
        told = run("audit", "--json", "--database", self.database)
        return [item["action"] for item in json.loads(told.stdout)["items"]]


@pytest.fixture
def story(tmp_path: Path, database: Path, collector: Serving) -> Iterator[Story]:
    made = Story(tmp_path, database, collector)
    yield made
    made.agent.end()


def test_a_host_lets_itself_in_pushes_rotates_without_a_gap_and_is_revoked(story: Story, database: Path) -> None:
    story.agent.start()
    until(story.token.exists)
    story.until_more_is_received()
    first = story.token.read_text()
    assert story.token.stat().st_mode & 0o777 == 0o600

    assert run("token", "rotate", "--host", "lb1", "--database", database).returncode == 0
    until(lambda: story.token.read_text() != first)
    story.until_more_is_received()
    second = story.token.read_text()

    assert run("token", "revoke", "--host", "lb1", "--database", database).returncode == 0
    story.agent.until_logged("answered 401")
    log, said = story.agent.log.read_text(), story.collector.log.read_text()
    assert log.count("cannot be reached") == 0
    for secret in (story.join, first.strip(), second.strip()):
        assert secret.split("_", 2)[2] not in log + said
    assert story.deeds() == ["token-revoke", "token-renew", "token-rotate", "enrol", *["token-create"] * 2]
    assert "action=enrol" in said


def test_what_was_sampled_before_the_collector_was_there_arrives_after_it_let_the_host_in(
    tmp_path: Path, database: Path
) -> None:
    """A host that boots before its collector samples all the same."""
    with serving(database) as collector:
        story = Story(tmp_path, database, collector)
        address = collector.url.removeprefix("http://")
        collector.stop()
    try:
        story.agent.start()
        story.agent.until_logged("cannot be reached")
        assert not story.token.exists()
        with serving(database, listen=address) as story.collector:
            until(lambda: story.received() > 2)
    finally:
        story.agent.end()


def test_a_token_left_by_an_agent_that_died_in_between_is_offered_again(story: Story) -> None:
    """The collector had let it in; the join token has no use left."""
    story.agent.start()
    until(story.token.exists)
    story.agent.end()
    story.token.rename(story.token.with_name("token.new"))

    story.agent.start()

    until(story.token.exists)
    story.until_more_is_received()


def test_a_join_token_that_is_no_good_is_said_once(story: Story, database: Path) -> None:
    assert run("token", "revoke", story.join.split("_")[1], "--database", database).returncode == 0
    story.agent.start()
    story.agent.until_logged("this join token was revoked")
    log = story.agent.log.read_text()
    assert log.count("does not let this host in") == 1
    assert story.join not in log
