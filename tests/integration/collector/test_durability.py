"""Acknowledged means durable: whatever is killed, and whenever."""

import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Self

import pytest

from shared import wire
from tests.builders import a_reading, a_snapshot
from tests.collector_process import Serving, a_token, migrated, run, serving
from tests.postgres import Cluster, cluster, standby, why_none

PATIENCE_S = 60
AT_WORK_S = (0.1, 0.8)
"""How long there is load between two kills."""
SENDERS = 4

pytestmark = pytest.mark.timeout(600)


class Hammer:
    """Hosts that push one snapshot after another, each until it is acknowledged, to any of the collectors in turn."""

    def __init__(self, token: str, urls: Callable[[], Sequence[str]]) -> None:
        self.acknowledged: Counter[tuple[str, int]] = Counter()
        self._token, self._urls = token, urls
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(f"lb{number}",)) for number in range(SENDERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for_more(self, count: int) -> None:
        """Until so many more snapshots were acknowledged: everything works again."""
        wanted, deadline_s = len(self.acknowledged) + count, time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline_s, "nothing is acknowledged any more"
            time.sleep(0.02)

    def _send(self, host: str) -> None:
        """One after another, each until it is acknowledged, and the same each time: another content is a conflict."""
        for seq in count(1):
            now_ms = int(time.time() * 1000)
            body = wire.encode(a_snapshot(a_reading(seq % 300), host=host, seq=seq, taken_at_ms=now_ms))
            while not self._push(body):
                if self._stop.wait(0.02):
                    return
            self.acknowledged[host, seq] += 1
            if self._stop.is_set():
                return

    def _push(self, body: bytes) -> bool:
        for url in self._urls():
            headers = {"Content-Type": wire.CONTENT_TYPE, "Authorization": f"Bearer {self._token}"}
            with suppress(OSError, HTTPException), closing(HTTPConnection(url.removeprefix("http://"))) as connection:
                connection.timeout = 20
                connection.request("POST", "/v1/snapshots", body, headers)
                with connection.getresponse() as response:
                    if response.status == HTTPStatus.ACCEPTED:
                        return True
        return False


def require_each_once(acknowledged: Counter[tuple[str, int]], rows: Sequence[tuple[str, int]]) -> None:
    """All that was acknowledged is there, and nothing twice; what was never acknowledged may be there too."""
    stored = Counter(rows)
    assert [key for key in acknowledged if key not in stored] == []
    assert [key for key, count in stored.items() if count > 1] == []


class Collectors:
    """Processes that are killed and started again under their names."""

    def __init__(self, stack: ExitStack, database: str | Path, directory: Path) -> None:
        self._stack, self._database, self._directory = stack, database, directory
        self._running: dict[str, Serving] = {}
        self._roles: dict[str, str] = {}

    def start(self, name: str, role: str = "all") -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            log = self._directory / f"{name}-{time.monotonic_ns()}.log"
            try:
                made = serving(self._database, "--role", role, log=log)
                self._running[name], self._roles[name] = self._stack.enter_context(made), role
            except AssertionError:  # The database is still coming back.
                assert time.monotonic() < deadline_s, log.read_text()
                time.sleep(0.1)
            else:
                return

    def kill(self, name: str) -> None:
        process = self._running[name].process
        process.kill()
        process.wait(PATIENCE_S)
        self.start(name, self._roles[name])

    def urls(self) -> list[str]:
        found = [one.url for name, one in self._running.items() if self._roles[name] != "leader"]
        random.shuffle(found)
        return found


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def test_sqlite_keeps_what_was_acknowledged_through_seven_kills(tmp_path: Path, stack: ExitStack) -> None:
    database = migrated(tmp_path)
    collectors = Collectors(stack, database, tmp_path)
    collectors.start("only")
    with Hammer(a_token(database, "--scope", "push"), collectors.urls) as hammer:
        for _ in range(7):
            hammer.wait_for_more(5)
            time.sleep(random.uniform(*AT_WORK_S))
            collectors.kill("only")
        hammer.wait_for_more(5)
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT name, seq FROM hot JOIN host ON host.id = host_id").fetchall()
        counted = connection.execute("SELECT sum(received), sum(missing) FROM host").fetchone()
    require_each_once(hammer.acknowledged, rows)
    assert counted == (len(rows), 0)


@pytest.fixture
def server() -> Iterator[Cluster]:
    if reason := why_none():
        pytest.skip(reason)
    with cluster() as made:
        yield made


def rows_of(server: Cluster) -> list[tuple[str, int]]:
    text = server.sql("SELECT name, seq FROM hot JOIN host ON host.id = host_id")
    return [(name, int(seq)) for name, seq in (line.split("|") for line in text.splitlines())]


def test_postgresql_keeps_it_through_kills_of_ingest_leader_and_server(
    server: Cluster, tmp_path: Path, stack: ExitStack
) -> None:
    assert run("migrate", "--database", server.url()).returncode == 0
    collectors = Collectors(stack, server.url(), tmp_path)
    for name, role in (("one", "ingest"), ("two", "ingest"), ("leader", "leader")):
        collectors.start(name, role)
    with Hammer(a_token(server.url(), "--scope", "push"), collectors.urls) as hammer:
        for victim in random.sample(["one", "two", "leader", "server"] * 3 + ["server"], 13):
            hammer.wait_for_more(5)
            time.sleep(random.uniform(*AT_WORK_S))
            if victim == "server":
                server.crash()
                server.start()
            else:
                collectors.kill(victim)
        hammer.wait_for_more(5)
    rows = rows_of(server)
    require_each_once(hammer.acknowledged, rows)
    assert server.sql("SELECT sum(received), sum(missing) FROM host") == f"{len(rows)}|0"


def test_a_promoted_standby_has_all_that_was_acknowledged(server: Cluster, tmp_path: Path, stack: ExitStack) -> None:
    assert run("migrate", "--database", server.url()).returncode == 0
    follower = stack.enter_context(standby(server))
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    server.sql("SELECT pg_reload_conf()")
    wait_until(lambda: server.sql("SELECT sync_state FROM pg_stat_replication") == "sync")
    hosts = f"host={server.directory}:{server.port}&host={follower.directory}:{follower.port}"
    both = f"postgresql://portgauge@/postgres?{hosts}&target_session_attrs=read-write"
    collectors = Collectors(stack, both, tmp_path)
    collectors.start("one")
    with Hammer(a_token(both, "--scope", "push"), collectors.urls) as hammer:
        hammer.wait_for_more(20)
        server.crash()
        follower.sql("SELECT pg_promote()")
        hammer.wait_for_more(20)
    require_each_once(hammer.acknowledged, rows_of(follower))


def wait_until(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A file system that is soon full."""
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs CAP_SYS_ADMIN")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_is_503_and_the_log_says_why_and_room_mends_it(tmp_path: Path, stack: ExitStack) -> None:
    disk = stack.enter_context(small_disk(tmp_path / "disk", "6m"))
    database = migrated(disk)
    token = a_token(database, "--scope", "push")
    ballast = disk / "ballast"
    log = tmp_path / "collector.log"
    collector = stack.enter_context(serving(database, log=log))
    ballast.write_bytes(bytes(2_000_000))
    labels = {f"l{number}": "x" * 250 for number in range(30)}
    taken, statuses = 0, set[int]()
    while 503 not in statuses:
        status = collector.push(a_snapshot(seq=taken + 1, labels=labels), token)
        statuses.add(status)
        taken += status == 202
        assert taken < 2_000
    assert statuses == {202, 503}
    assert "full" in log.read_text()
    ballast.unlink()
    wait_until(lambda: collector.push(a_snapshot(seq=taken + 1, labels=labels), token) == 202)
    assert collector.stop(signal.SIGTERM, within_s=10) == 0
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM hot").fetchone() == (taken + 1,)
