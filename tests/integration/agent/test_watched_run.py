"""`run` tells of failures and owners: what a collector would get, read from the spool."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.watching import DRAIN_EVERY_S
from shared.model import Reading, Snapshot
from shared.wire import decode
from tests.netns import Netns
from tests.secret import a_secret
from tests.watching import a_port

PATIENCE_S = 30.0
PORT = a_port()
NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.mark.usefixtures("watching")
def test_failures_are_sent_once_with_the_pool_and_its_owner(netns: Netns, tmp_path: Path) -> None:
    """Somebody takes all 100 ports towards one backend and tries 23 more."""
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40099")
    agent, log = started(netns, tmp_path)
    wait_for_samples(log, 1)

    pid = spend(netns, 123)
    time.sleep(2 * DRAIN_EVERY_S)
    wait_for_samples(log, 2)
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(10) == 0

    seen = [one for snapshot in spooled(tmp_path) for one in towards_backend(snapshot)]
    assert sum(one.failures for one in seen) == 23
    assert {one.owner.split()[-1] for one in seen if one.owner} == {str(pid)}
    assert seen[-1].held == 100


def started(netns: Netns, place: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    token, log = a_secret(place / "token", "t"), place / "log"
    command = [sys.executable, "-m", "agent", "run", "--collector", NOBODY_LISTENS, "--token-file", str(token)]
    with log.open("wb") as file:
        return netns.popen(
            [*command, "--spool", str(place), "--netns", "own", "--interval", "0.2", "--log-level", "debug"],
            stderr=file,
        ), log


def wait_for_samples(log: Path, more: int) -> None:
    before = log.read_text().count("sampled")
    deadline_s = time.monotonic() + PATIENCE_S
    while log.read_text().count("sampled") < before + more:
        assert time.monotonic() < deadline_s, log.read_text()
        time.sleep(0.05)


def spend(netns: Netns, attempts: int) -> int:
    """A process that tries so often and keeps what it gets; answers its pid."""
    steps = json.dumps([["connect", "127.0.0.1", PORT, attempts]])
    command = [sys.executable, "-m", "tests.spender", steps]
    process = netns.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return int(json.loads(process.stdout.readline())["pid"])


def spooled(place: Path) -> list[Snapshot]:
    with sqlite3.connect(place / "spool.db") as db:
        found = [decode(body) for (body,) in db.execute("SELECT body FROM snapshot ORDER BY seq")]
    db.close()
    return found


def towards_backend(snapshot: Snapshot) -> list[Reading]:
    """Readings of the pool in our own namespace, which a snapshot lists first."""
    own = snapshot.namespaces[0].name
    return [one for one in snapshot.readings if one.pool.netns == own and one.pool.peer_port == PORT]
