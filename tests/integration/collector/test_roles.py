"""Several collector processes over one PostgreSQL."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, run, serving
from tests.postgres import Cluster
from tests.receiving import CONFIG, receiving

PATIENCE_S = 40


@pytest.fixture
def start(server: Cluster, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start a collector of this role; killed at the end."""
    with ExitStack() as stack:

        def started(role: str, *arguments: str | Path) -> Serving:
            log = tmp_path / f"{role}-{time.monotonic_ns()}.log"
            return stack.enter_context(serving(server.url(), "--role", role, *arguments, log=log))

        yield started


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def epoch(server: Cluster) -> int:
    return int(server.sql("SELECT epoch FROM leadership"))


def transitions(server: Cluster) -> list[str]:
    return server.sql("SELECT after FROM transition ORDER BY id").split()


def test_what_one_process_takes_another_evaluates(server: Cluster, start: Callable[..., Serving]) -> None:
    token, read = (a_token(server.url(), "--scope", scope) for scope in ("push", "read"))
    ingest, leader = start("ingest"), start("leader")
    assert ingest.push(a_snapshot(a_reading(290)), token) == 202
    wait_until(lambda: "firing" in transitions(server))
    assert leader.push(a_snapshot(a_reading(290), seq=2), token) == 404
    hosts = json.loads(leader.get("/v1/hosts", read))["items"]
    assert [host["host"] for host in hosts] == ["lb1"]


def test_a_killed_leader_is_followed_at_once(server: Cluster, start: Callable[..., Serving]) -> None:
    first = start("all")
    wait_until(lambda: epoch(server) == 1)
    second = start("all")
    first.process.kill()
    wait_until(lambda: epoch(server) == 2)
    token = a_token(server.url(), "--scope", "push")
    assert second.push(a_snapshot(a_reading(290)), token) == 202
    wait_until(lambda: "firing" in transitions(server))


def test_a_leader_that_wakes_after_its_term_writes_nothing(server: Cluster, start: Callable[..., Serving]) -> None:
    token = a_token(server.url(), "--scope", "push")
    first = start("leader")
    wait_until(lambda: epoch(server) == 1)
    ingest, second = start("ingest"), start("leader")
    first.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: epoch(server) == 2)
    for seq, held in enumerate((290, 10, 290), start=1):
        assert ingest.push(a_snapshot(a_reading(held), seq=seq), token) == 202
    first.process.send_signal(signal.SIGCONT)
    wait_until(lambda: len(transitions(server)) >= 3)
    wait_until(lambda: "not leading" in first.log.read_text())
    told = transitions(server)
    second.process.kill()
    wait_until(lambda: epoch(server) >= 3)
    assert transitions(server) == told


@pytest.mark.timeout(300)
def test_a_leader_that_sleeps_owing_a_notice_and_wakes_later_tells_nobody_twice(
    server: Cluster, start: Callable[..., Serving], tmp_path: Path
) -> None:
    """Twice over: each is stopped while the receiver refuses, and wakes when the other has told."""
    token, config = a_token(server.url(), "--scope", "push"), tmp_path / "collector.toml"
    with receiving() as heard:
        config.write_text(CONFIG.format(url=heard.url))
        ingest = start("ingest")
        sleeper, other = (start("leader", "--config", config) for _ in range(2))
        wait_until(lambda: epoch(server) >= 1)
        holder = int(server.sql("SELECT holder FROM leadership").split()[-1])
        if holder != sleeper.process.pid:
            sleeper, other = other, sleeper
        for seq, held in enumerate((290, 10), start=1):
            term, heard.refusing, heard.refused = epoch(server), True, 0
            assert ingest.push(a_snapshot(a_reading(held), seq=seq), token) == 202
            wait_until(lambda: heard.refused > 0)
            sleeper.process.send_signal(signal.SIGSTOP)
            time.sleep(1)  # What it had sent already is refused too: its answer would be read after it wakes.
            heard.refusing = False
            wait_until(lambda: epoch(server) > term)  # noqa: B023 - waited for here and now
            wait_until(lambda: len(heard.notices) == seq)  # noqa: B023
            sleeper.process.send_signal(signal.SIGCONT)
            wait_until(lambda: "not leading" in sleeper.log.read_text())  # noqa: B023
            sleeper, other = other, sleeper
        time.sleep(3)  # Longer than either takes to look at what is owed: nothing more may come.
        assert heard.states == ["firing", "resolved"]
        assert len({key for key, _ in heard.notices}) == 2
    assert server.sql("SELECT count(*) FROM outbox WHERE channel = 'webhook' AND outcome = 'delivered'").strip() == "2"


@pytest.mark.parametrize("role", ["ingest", "leader"])
def test_sqlite_is_for_one_process(tmp_path: Path, role: str) -> None:
    ended = run("serve", "--listen", "127.0.0.1:0", "--database", migrated(tmp_path), "--role", role)
    assert ended.returncode == 2
    assert f"--role {role} needs PostgreSQL" in ended.stderr
