"""The life of a real agent under a real service manager's socket: ready, alive, reloaded, stopped."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.run import LATE
from tests.agent_process import AnAgent
from tests.collector_process import a_token, migrated, serving
from tests.manager import Manager, a_manager
from tests.secret import a_secret


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with a_manager(tmp_path) as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, manager: Manager) -> Iterator[AnAgent]:
    made = AnAgent(tmp_path, manager.environment)
    yield made
    made.end()


def test_it_is_ready_once_its_first_snapshot_is_spooled_and_feeds_the_watchdog(
    agent: AnAgent, manager: Manager
) -> None:
    process = agent.start(WATCHDOG_USEC="900000")

    first = manager.wait_for("READY")
    assert "1 snapshots wait for the collector" in first["STATUS"]
    manager.wait_for("WATCHDOG")
    manager.wait_for("WATCHDOG")

    process.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING")
    assert process.wait(20) == 0


def test_a_stopped_agent_spools_a_last_snapshot(agent: AnAgent, manager: Manager) -> None:
    """The interval is an hour: the second snapshot is the farewell. Nobody takes it, and still the agent ends."""
    process = agent.start()
    manager.wait_for("READY")

    began_s = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert time.monotonic() - began_s < 5  # Meant to be 2 s: agent.run.LAST_RESORT_S.
    assert agent.spooled() == 2 or "no last sample: it would take too long" in agent.log.read_text()


def test_a_second_signal_ends_it_at_once(agent: AnAgent, manager: Manager) -> None:
    process = agent.start()
    manager.wait_for("READY")

    process.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING")
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == -signal.SIGTERM


def test_a_reload_takes_up_a_good_configuration(agent: AnAgent, manager: Manager) -> None:
    process = agent.start()
    manager.wait_for("READY")

    agent.configure(interval_s=0.1, log_level="debug", host="another")
    process.send_signal(signal.SIGHUP)

    begun = manager.wait_for("RELOADING")
    assert int(begun["MONOTONIC_USEC"]) > 0
    manager.wait_for("READY")
    agent.until_logged("sampled")
    log = agent.log.read_text()
    assert "the configuration is reloaded changed=interval_s,log_level" in log
    assert "a changed key takes effect at the next start only key=host" in log


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("interval_s = -1\n", "interval_s: need seconds above 0"),
        ("intervall_s = 1\n", "intervall_s: unknown key; did you mean 'interval_s'?"),
        ("this is not TOML", "is not TOML"),
        ('token_file = "/nonexistent"\ncollector = "http://127.0.0.1:9"\n', "the token file /nonexistent"),
    ],
)
def test_a_reload_of_a_bad_configuration_keeps_the_old_one_and_says_why(
    agent: AnAgent, manager: Manager, broken: str, why: str
) -> None:
    process = agent.start()
    manager.wait_for("READY")

    agent.config.write_text(broken if "collector" in broken else f'collector = "http://x"\ntoken_file = "t"\n{broken}')
    process.send_signal(signal.SIGHUP)
    manager.wait_for("RELOADING")
    assert why in manager.wait_for("READY")["STATUS"]

    line = next(line for line in agent.log.read_text().splitlines() if "is not reloaded, the old one holds" in line)
    assert why in line
    assert str(agent.config) in line or "token file" in line
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert agent.spooled() == 2


def test_a_reload_holds_the_connection_to_the_collector_where_nothing_about_it_changed(
    agent: AnAgent, manager: Manager
) -> None:
    """A host that has no port left could not get another."""
    with socket.create_server(("127.0.0.1", 0)) as collector:
        url = f"http://127.0.0.1:{collector.getsockname()[1]}"
        agent.configure(collector=url)
        process = agent.start()
        manager.wait_for("READY")
        collector.settimeout(60)
        held, _peer = collector.accept()
        held.settimeout(60)
        assert held.recv(65_536).startswith(b"POST /v1/snapshots")
        held.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")

        agent.configure(collector=url, role="edge")
        process.send_signal(signal.SIGHUP)

        assert b"POST /v1/snapshots" in read_request(held), "the snapshot after the reload came by another connection"
        held.close()


def read_request(held: socket.socket) -> bytes:
    """The next bytes that open a request; the rest of the one before is passed over."""
    got = b""
    while b"POST" not in got:
        more = held.recv(65_536)
        if not more:
            break
        got += more
    return got


def test_the_last_snapshot_reaches_a_collector_that_answers(tmp_path: Path, manager: Manager) -> None:
    """An hour lies between samples, so the second is the farewell; nothing stays in the spool.

    The agent has two seconds for it and no more: where the machine is too busy once, it is tried again.
    """
    database = migrated(tmp_path)
    reader = a_token(database, "--scope", "read")
    with serving(database) as collector:
        for host in ("lb1", "lb2", "lb3"):
            agent = AnAgent(tmp_path / host, manager.environment)
            a_secret(agent.token, a_token(database, "--scope", "push", "--host", host))
            agent.configure(collector=collector.url, host=host)
            process = agent.start()
            manager.wait_for("READY")
            process.send_signal(signal.SIGTERM)
            agent.end()
            told = json.loads(collector.get(f"/v1/hosts/{host}", reader)) if agent.spooled() == 0 else {}
            if told.get("received") == 2:
                break

    assert (told.get("received"), told.get("missing")) == (2, 0)


def test_a_disk_that_hangs_does_not_keep_the_agent_from_ending() -> None:
    """A thread that never comes back would hold up the end of the event loop for ever."""
    program = (
        "import asyncio, signal, os, time\n"
        "from agent.run import _orders\n"
        "async def main():\n"
        "    orders = _orders()\n"
        "    hanging = asyncio.create_task(asyncio.to_thread(time.sleep, 600))\n"
        "    await asyncio.sleep(0.1)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    await orders.get()\n"
        "asyncio.run(main())\n"
    )

    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)

    assert done.returncode == LATE
