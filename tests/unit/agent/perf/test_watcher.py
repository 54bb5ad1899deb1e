"""The watcher against real failures: as many as the failing process counted, for the pool it meant, no others."""

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from agent.failures import Failures, Target
from agent.perf.errors import PerfRefused, UnknownLayout
from agent.perf.watcher import FailureWatcher, cpus
from agent.probe import probe
from shared import clock
from shared.addresses import parse_ip
from tests.netns import Netns
from tests.sockets import listen
from tests.tracepoint import FORMAT
from tests.watching import a_port

TAKEN = str(errno.EADDRNOTAVAIL)
REFUSED = str(errno.ECONNREFUSED)
FIVE_ATTEMPTS = """
import socket, sys
made = [socket.socket() for _ in range(5)]
for one in made:
    one.connect_ex(("127.0.0.1", int(sys.argv[1])))
"""


@pytest.fixture
def watcher(watching: None) -> Iterator[FailureWatcher]:
    del watching
    made = FailureWatcher.start()
    yield made
    made.close()


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40099")
    return netns


def spend(host: Netns, *steps: list[Any]) -> list[dict[str, int]]:
    """What became of each step, done by a process that is still there."""
    command = [sys.executable, "-m", "tests.spender", json.dumps(steps)]
    process = host.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told: list[dict[str, int]] = json.loads(process.stdout.readline())["steps"]
    return told


def inode(host: Netns) -> int:
    return host.run(os.stat, "/proc/thread-self/ns/net").st_ino


def seen_in(host: Netns, failures: Failures) -> dict[tuple[str, int], int]:
    """Failures of this namespace; others run tests of their own on this host."""
    return {
        (
            str(socket.inet_ntop(socket.AF_INET if len(one.peer) == 4 else socket.AF_INET6, one.peer)),
            one.peer_port,
        ): c.count
        for one, c in failures.by_target.items()
        if one.netns == inode(host)
    }


def test_each_failure_is_counted_for_its_pool_and_dated(host: Netns, watcher: FailureWatcher) -> None:
    started_ms = clock.wall_ms()
    (outcome,) = spend(host, ["connect", "127.0.0.1", 9001, 137])

    assert not watcher.is_quiet
    failures = watcher.drain()

    loop = parse_ip("127.0.0.1")
    count = failures.by_target[Target(inode(host), loop, loop, 9001)]
    assert outcome == {"ok": 100, TAKEN: 37}
    assert count.count == 37
    assert started_ms - 5 <= count.first_ms <= count.last_ms <= clock.wall_ms() + 5
    assert seen_in(host, watcher.drain()) == {}


def test_ipv6_has_pools_of_its_own_and_v4_mapped_ones_are_ipv4s(host: Netns, watcher: FailureWatcher) -> None:
    outcomes = spend(
        host,
        ["connect", "::1", 9001, 109],
        ["connect", "::ffff:127.0.0.1", 9001, 104],
        ["connect", "127.0.0.1", 9001, 3],
    )

    assert [one[TAKEN] for one in outcomes] == [9, 4, 3]
    assert seen_in(host, watcher.drain()) == {("::1", 9001): 9, ("127.0.0.1", 9001): 7}


def test_nothing_else_that_goes_wrong_is_counted(host: Netns, watcher: FailureWatcher) -> None:
    """Successes, refusals, attempts given up, and a tuple that is taken although it was asked for by name."""
    outcomes = spend(
        host,
        ["connect", "127.0.0.1", 9001, 50],
        ["connect", "127.0.0.1", 9, 20],
        ["connect", "::1", 9, 20],
        ["abandon", "127.0.0.1", 9001, 10],
        ["from", "127.0.0.1", 50_000, "127.0.0.1", 9001, 6],
    )

    assert [one.get(REFUSED) for one in outcomes] == [None, 20, 20, None, None]
    assert outcomes[4] == {"ok": 1, TAKEN: 5}
    assert seen_in(host, watcher.drain()) == {}


def test_our_own_probes_are_not_failures_of_anybody(host: Netns, watcher: FailureWatcher) -> None:
    """A blocked port refuses the probe's connect() as it would refuse any: left out by process, and by destination."""
    ask = (
        "import socket; from agent.probe import probe; s = socket.socket(); s.bind(('', 40007)); print(probe([40007]))"
    )

    def blocked() -> dict[int, bool]:
        with socket.socket() as bound:
            bound.bind(("", 40_005))
            return probe([40_005])

    assert host.run(blocked) == {40_005: False}
    assert host.check_output([sys.executable, "-c", ask]).strip() == "{40007: False}"
    failures = watcher.drain()
    assert seen_in(host, failures) == {}
    assert not any(target.peer == b"\x7f\xff\xff\xfd" for target in failures.by_target)


def test_what_finds_no_room_is_still_counted(host: Netns, watching: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings of one page hold 39 events each."""
    del watching
    monkeypatch.setattr("agent.perf.ring.DATA_PAGES", 1)
    with contextlib.closing(FailureWatcher.start()) as watcher:
        (outcome,) = spend(host, ["connect", "127.0.0.1", 9001, 400])
        failures = watcher.drain()

    assert outcome[TAKEN] == 300
    named = seen_in(host, failures).get(("127.0.0.1", 9001), 0)
    assert named < 100
    assert named + failures.unnamed >= 300


def test_processes_that_ended_before_we_looked_leave_a_failure_without_a_namespace(
    host: Netns, watcher: FailureWatcher, keep: list[socket.socket]
) -> None:
    """Two ports: two succeed, three fail, and then the process is gone."""
    host.set_sysctl("ipv4/ip_local_port_range", "40000 40001")
    port = a_port()
    host.run(listen, keep, port)
    host.check_output([sys.executable, "-c", FIVE_ATTEMPTS, str(port)])

    loop = parse_ip("127.0.0.1")
    assert watcher.drain().by_target[Target(0, loop, loop, port)].count == 3


def test_a_kernel_with_other_fields_is_not_watched() -> None:
    with pytest.raises(UnknownLayout):
        FailureWatcher.start(lambda _event: FORMAT.replace("dport", "rport"))


def test_without_the_right_the_reason_says_what_to_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("agent.perf.syscalls.perf_event_open", refused)

    with pytest.raises(PerfRefused, match="CAP_PERFMON"):
        FailureWatcher.start(lambda _event: FORMAT)


@pytest.mark.parametrize(("text", "numbers"), [("0\n", {0}), ("0-3\n", {0, 1, 2, 3}), ("0-1,4,6-7\n", {0, 1, 4, 6, 7})])
def test_lists_of_cpus_are_read_as_sysfs_writes_them(text: str, numbers: set[int]) -> None:
    assert cpus(text) == numbers
