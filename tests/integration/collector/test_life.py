"""The life of a collector process."""

import gzip
import json
import signal
import socket
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from shared.limits import MAX_BODY_BYTES
from tests.builders import a_reading, a_snapshot
from tests.collector_process import a_token, migrated, run, serving
from tests.netns import Netns


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return migrated(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_when_told_even_with_a_connection_kept_open(database: Path, number: signal.Signals) -> None:
    """Every agent keeps one."""
    with serving(database) as collector:
        kept = HTTPConnection(collector.url.removeprefix("http://"))
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        assert collector.stop(number, within_s=2) == 0
        kept.close()
    assert collector.log.read_text() == ""


def test_port_0_prints_the_real_address_and_nothing_else(database: Path) -> None:
    with serving(database) as collector:
        assert collector.url.startswith("http://127.0.0.1:")
        assert not collector.url.endswith(":0")
        collector.stop()
        assert collector.process.stdout
        assert collector.process.stdout.read() == ""


def test_ipv6_is_served(database: Path) -> None:
    with serving(database, listen="[::1]:0") as collector:
        assert collector.url.startswith("http://[::1]:")
        assert json.loads(collector.get("/healthz", "")) == {"status": "ok"}


@pytest.mark.parametrize(("listen", "are_told"), [("127.0.0.1:0", 1), ("0.0.0.0:0", 0)])
def test_who_reaches_it_from_elsewhere_needs_a_token_to_be_told_pools(
    database: Path, netns: Netns, listen: str, are_told: int
) -> None:
    """In a namespace of its own, where nobody does."""

    def scraped() -> str:
        with (
            serving(database, listen=listen) as collector,
            urlopen(f"{collector.url}/metrics", timeout=30) as answer,  # noqa: S310 - in our own namespace
        ):
            return str(answer.read(), "utf-8")

    assert f"portgauge_collector_pools_told {are_told}.0" in netns.run(scraped).splitlines()


def test_what_was_acknowledged_survives_a_kill(database: Path) -> None:
    push, read = a_token(database, "--scope", "push", "--host", "lb1"), a_token(database, "--scope", "read")
    with serving(database) as collector:
        assert collector.push(a_snapshot(a_reading(255), seq=7), push) == 202
        collector.process.kill()
        assert collector.process.wait(5) == -signal.SIGKILL
    with serving(database) as collector:
        host = json.loads(collector.get("/v1/hosts/lb1", read))
        assert (host["received"], host["last_seq"]) == (1, 7)
        assert collector.push(a_snapshot(a_reading(255), seq=7), push) == 202
        host = json.loads(collector.get("/v1/hosts/lb1", read))
        assert (host["received"], host["duplicates"]) == (1, 1)


def test_a_token_made_while_it_serves_works_and_a_revoked_one_does_not(database: Path) -> None:
    with serving(database) as collector:
        token = a_token(database, "--scope", "push")
        assert collector.push(a_snapshot(seq=1), token) == 202
        assert run("token", "revoke", token.split("_")[1], "--database", database).returncode == 0
        assert collector.push(a_snapshot(seq=2), token) == 401
    assert token not in collector.log.read_text()


def test_a_gzip_bomb_costs_no_memory(database: Path) -> None:
    bomb = gzip.compress(bytes(900 * MAX_BODY_BYTES))
    assert len(bomb) <= MAX_BODY_BYTES
    token = a_token(database, "--scope", "push")
    with serving(database) as collector:
        collector.push(a_snapshot(), token)
        process = psutil.Process(collector.process.pid)
        before = process.memory_info().rss
        assert {collector.post(bomb, token, Content_Encoding="gzip") for _ in range(5)} == {413}
        assert process.memory_info().rss - before < 16 * MAX_BODY_BYTES


# --- mistakes: exit status 2, one line that says what, where and what to do ------------------------------------------


def mistake(*arguments: str | Path) -> str:
    ended = run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    return line


def test_a_port_in_use(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        line = mistake("serve", "--listen", address, "--database", database)
    assert line == f"portgauge-collector: {address} is in use; stop what holds it, or choose another with --listen"


def test_an_address_of_another_machine(database: Path) -> None:
    assert "not an address of this machine" in mistake("serve", "--listen", "192.0.2.1:0", "--database", database)


def test_a_name_nobody_knows(database: Path) -> None:
    assert "cannot be listened on" in mistake("serve", "--listen", "nowhere.invalid:0", "--database", database)


def test_a_listen_address_without_port(database: Path) -> None:
    assert "HOST:PORT" in mistake("serve", "--listen", "localhost", "--database", database)


@pytest.mark.parametrize("command", [["serve"], ["token", "list"], ["token", "create", "--scope", "read"]])
def test_a_database_that_is_not_migrated(tmp_path: Path, command: list[str]) -> None:
    database = tmp_path / "x.db"
    wanted = f"is not migrated; run: portgauge-collector migrate --database {database}"
    assert wanted in mistake(*command, "--database", database)
    assert not database.exists()
    database.touch()
    assert wanted in mistake(*command, "--database", database)


def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in mistake("migrate", "--database", tmp_path / "file" / "x.db")


def test_a_lock_that_cannot_be_written(database: Path) -> None:
    database.with_name("history.db.lock").mkdir()
    assert "cannot write" in mistake("serve", "--listen", "127.0.0.1:0", "--database", database)


def test_a_database_that_may_only_be_read(database: Path) -> None:
    database.chmod(0o400)
    assert "readonly" in mistake("serve", "--listen", "127.0.0.1:0", "--database", database)


def test_a_folder_that_may_not_be_entered(database: Path) -> None:
    database.parent.chmod(0)
    try:
        assert "cannot be read: Permission denied" in mistake("token", "list", "--database", database)
    finally:
        database.parent.chmod(0o700)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_text("hello " * 1000)
    assert "not a database" in mistake("serve", "--listen", "127.0.0.1:0", "--database", file)


def test_a_second_collector_on_one_file(database: Path) -> None:
    with serving(database):
        assert "already served" in mistake("serve", "--listen", "127.0.0.1:0", "--database", database)


def test_a_database_url_that_cannot_be_read() -> None:
    assert "cannot be read" in mistake("migrate", "--database", "://")


def test_a_driver_that_is_not_installed() -> None:
    line = mistake("migrate", "--database", "postgresql+psycopg2://me:hunter2@127.0.0.1/x")
    assert "no driver" in line
    assert "hunter2" not in line


def test_a_config_file_that_is_not_there(database: Path, tmp_path: Path) -> None:
    line = mistake("serve", "--database", database, "--config", tmp_path / "none.toml")
    assert "none.toml: cannot be read: No such file" in line


def test_an_unknown_config_key(database: Path, tmp_path: Path) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('listn = "127.0.0.1:0"\n')
    line = mistake("serve", "--database", database, "--config", config)
    assert line.endswith("collector.toml:1: listn: unknown key; did you mean 'listen'?")
