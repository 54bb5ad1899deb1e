"""Acknowledged means durable: whatever is killed, and whenever."""

import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.builders import a_snapshot
from tests.collector_process import Serving, a_token, migrated, run, serving
from tests.hammer import Collectors, Hammer, require_each_once, wait_until
from tests.postgres import Cluster, cluster, standby, why_none

WAL_PIECE = 16 * 2**20
AT_WORK_S = (0.1, 0.8)
"""How long there is load between two kills."""

pytestmark = pytest.mark.timeout(600)


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
            collectors.kill_and_start("only")
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
                collectors.kill_and_start(victim)
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


def some_labels(chance: random.Random) -> dict[str, str]:
    """Seven kilobytes that nothing makes smaller."""
    return {f"l{number}": chance.randbytes(120).hex() for number in range(30)}


def fill(collector: Serving, token: str, acknowledged: Counter[tuple[str, int]]) -> set[int]:
    """Push until there is no room; the statuses that came."""
    chance, statuses = random.Random(5), set[int]()
    for seq in range(1, 20_000):
        status = collector.push(a_snapshot(seq=seq, labels=some_labels(chance)), token)
        statuses.add(status)
        if status != 202:
            return statuses
        acknowledged["lb1", seq] += 1
    raise AssertionError("the disk is larger than it was made")


def leave_room_for_tables(server: Cluster) -> int:
    """Have the server's own log end soon; answers how much room must be left that is too little for its next piece."""
    offset = "SELECT (pg_walfile_name_offset(pg_current_wal_insert_lsn())).file_offset"
    left = WAL_PIECE - int(server.sql(offset)) - 500_000
    server.sql(f"SELECT pg_logical_emit_message(false, 'test', repeat('x', {left}))")
    return WAL_PIECE - 1_000_000


def leave_room_for_the_log(server: Cluster) -> int:
    """Have the server make its own log beforehand; answers how much room must be left, for tables."""
    for _ in range(8):
        server.sql("CREATE TABLE some_work AS SELECT 1")
        server.sql("DROP TABLE some_work")
        server.sql("SELECT pg_switch_wal()")
    server.sql("CHECKPOINT")
    return 2_000_000


@pytest.mark.parametrize("prepared", [leave_room_for_the_log, leave_room_for_tables])
def test_a_full_disk_under_postgresql_is_503_and_room_mends_it(
    tmp_path: Path, stack: ExitStack, prepared: Callable[[Cluster], int]
) -> None:
    """Where its own log finds no room the server goes down, by design; what was acknowledged is on the disk."""
    if reason := why_none():
        pytest.skip(reason)
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))  # A socket's path must be short.
    disk = stack.enter_context(small_disk(place / "disk", "256m"))
    server = stack.enter_context(cluster({"min_wal_size": "96MB", "max_wal_size": "96MB"}, within=disk))
    assert run("migrate", "--database", server.url()).returncode == 0
    token, log = a_token(server.url(), "--scope", "push"), tmp_path / "collector.log"
    collector = stack.enter_context(serving(server.url(), log=log))
    ballast, room = disk / "ballast", prepared(server)
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - room))
    acknowledged: Counter[tuple[str, int]] = Counter()
    assert fill(collector, token, acknowledged) == {202, 503}
    assert "snapshots refused" in log.read_text()
    assert "No space left on device" in log.read_text() + server.log
    ballast.unlink()
    more = a_snapshot(seq=len(acknowledged) + 2)

    def is_mended() -> bool:
        if server.process and server.process.poll() is not None:
            server.start()
        return collector.push(more, token) == 202

    wait_until(is_mended)
    acknowledged["lb1", more.seq] += 1
    assert collector.stop(signal.SIGTERM, within_s=60) == 0
    require_each_once(acknowledged, rows_of(server))
    assert "Traceback" not in log.read_text()
    server.sql("REINDEX TABLE hot")
    assert int(server.sql("SELECT count(*) FROM hot WHERE length(body) > 0")) >= len(acknowledged)
    assert ("PANIC" in server.log) == (prepared is leave_room_for_tables)
