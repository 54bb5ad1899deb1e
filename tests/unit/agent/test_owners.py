"""The owners of real pools: real processes, in real groups, of a real user."""

import json
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cgroup_tree import MOUNTINFO
from agent.cgroups import cgroup2_mounts
from agent.netlink.sock_diag import SockDiag
from agent.owners import HIDDEN, SLICE_PORTS, OwnerFinder, claims_on, owner_of, slice_of, users
from agent.ownership import Ownership
from shared.model import Kind, Pool
from shared.ports import PortRange
from tests.builders import a_pool
from tests.netns import Netns
from tests.sockets import connect, listen

RANGE = PortRange(40_000, 40_299)
POOL = a_pool(9001)
NOBODY_UID = 65_534
TWENTY_MORE = """
import socket, sys
kept = [socket.create_connection(("127.0.0.1", 9001)) for _ in range(20)]
print("done", flush=True)
sys.stdin.read()
"""
LOOK_AS = """
import json, os
from agent.netlink.sock_diag import SockDiag
from agent.owners import OwnerFinder, claims_on
from tests.builders import a_pool
from shared.ports import PortRange
os.setresuid({uid}, {uid}, {uid})
found = OwnerFinder().find(claims_on(SockDiag(), PortRange(40000, 40299), [a_pool(9001)]), 0.0)[a_pool(9001)]
sockets, processes = [one.sockets for one in found.owners], [one.processes for one in found.owners]
print(json.dumps(dict(hidden=found.hidden, sockets=sockets, processes=processes)))
"""


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", f"{RANGE.low} {RANGE.high}")
    return netns


def spender(host: Netns, count: int, *before: str, uid: int | None = None, port: int = 9001) -> int:
    """A process that holds so many ports towards `port`, started by `before`. Answers its pid."""
    become = [] if uid is None else [["become", uid]]
    steps = json.dumps([*become, ["connect", "127.0.0.1", port, count]])
    command = [*before, sys.executable, "-m", "tests.spender", steps]
    process = host.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["steps"][-1] == {"ok": count}
    return int(told["pid"])


def owners(host: Netns, *pools: Pool) -> dict[Pool, Ownership]:
    def look() -> dict[Pool, Ownership]:
        with SockDiag() as diag:
            return OwnerFinder().find(claims_on(diag, RANGE, pools), 0.0)

    return host.run(look)


def test_the_owner_of_a_bind_pool_is_who_bound_not_who_let_connect_choose_on_the_same_address(
    host: Netns, keep: list[socket.socket]
) -> None:
    """No list tells the two apart; a probe of their ports does."""
    spender(host, 100)
    pool = Pool("host", Kind.BIND, POOL.local)
    server = host.run(listen, keep, 9002)
    host.run(connect, keep, server, 50, local="127.0.0.1")

    (owner,) = owners(host, pool)[pool].owners

    assert owner.sockets == 50
    assert {one.pid for one in owner.processes} == {os.getpid()}


def test_the_process_that_holds_a_pool_is_named_with_its_user(host: Netns) -> None:
    pid = spender(host, 150)

    (owner,) = owners(host, POOL)[POOL].owners

    assert [one.pid for one in owner.processes] == [pid]
    assert owner.processes[0].comm.startswith("python")
    assert (owner.uid, owner.user, owner.sockets) == (os.geteuid(), users()[os.geteuid()], 150)


@pytest.fixture
def nobody() -> int:
    """A user besides root that a process may become here."""
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    if os.geteuid() or not any(int(first) <= NOBODY_UID < int(first) + int(count) for first, _out, count in mapped):
        pytest.skip("only real root can start a process of another user")
    return NOBODY_UID


def test_another_users_process_is_told_apart(host: Netns, nobody: int) -> None:
    """Root and somebody else share a pool: two owners, the larger first."""
    theirs = spender(host, 100, uid=nobody)
    ours = host.popen([sys.executable, "-c", TWENTY_MORE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    assert ours.stdout.readline() == "done\n"

    found = owners(host, POOL)[POOL]

    assert [(one.uid, one.sockets, [process.pid for process in one.processes]) for one in found.owners] == [
        (nobody, 100, [theirs]),
        (0, 20, [ours.pid]),
    ]
    assert "(83%)" in found.summary()


def test_each_pool_has_its_own_owners_and_one_that_holds_nothing_has_none(host: Netns) -> None:
    four, six = a_pool(9001), a_pool(9001, local="::1", peer="::1")
    pid = spender(host, 50)
    empty = a_pool(9003)

    found = owners(host, four, six, empty)

    assert [one.processes[0].pid for one in found[four].owners] == [pid]
    assert found[six] == found[empty] == Ownership()


def test_one_pool_is_told_in_a_line(host: Netns) -> None:
    pid = spender(host, 30)

    def ask(pool: Pool) -> str:
        with SockDiag() as diag:
            return owner_of(diag, RANGE, pool, 0.0)

    assert host.run(ask, POOL).endswith(f"pid {pid}")
    assert host.run(ask, a_pool(9003)) == ""


def test_ports_in_time_wait_belong_to_nobody(host: Netns, keep: list[socket.socket]) -> None:
    for client, accepted in host.run(connect, keep, host.run(listen, keep, 9001), 40):
        client.close()
        accepted.close()

    assert owners(host, POOL)[POOL] == Ownership(unowned=40)


def test_the_control_group_is_told_by_name(host: Netns) -> None:
    mounts = cgroup2_mounts(MOUNTINFO.read_text())
    group = Path(mounts[0].point if mounts else "/nonexistent") / f"portgauge-test-{uuid.uuid4().hex[:8]}.service"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup2 hierarchy that we may add to: {error.strerror}")
    try:
        pid = spender(host, 20, "sh", "-c", f'echo $$ > "{group}/cgroup.procs" && exec "$@"', "sh")
        summary = owners(host, POOL)[POOL].summary()
    finally:
        host.close()
        group.rmdir()

    assert summary.startswith(f"{group.name}, python")
    assert summary.endswith(f" pid {pid}")


def test_what_may_not_be_looked_into_is_said(host: Netns, nobody: int) -> None:
    """An agent without privileges sees the sockets of all, the processes of its own user only."""
    spender(host, 20)
    process = host.popen([sys.executable, "-c", LOOK_AS.format(uid=nobody)], stdout=subprocess.PIPE, text=True)

    told = json.loads(process.communicate(timeout=20)[0])

    assert told["hidden"] == HIDDEN
    assert told["sockets"] == [20]
    assert told["processes"] == [[]]


@given(st.integers(1, 65_535), st.integers(1, 65_535))
def test_a_slice_lies_in_the_range_and_is_no_larger_than_needed(one: int, other: int) -> None:
    whole = PortRange(min(one, other), max(one, other))

    part = slice_of(whole)

    assert whole.low <= part.low <= part.high <= whole.high
    assert len(part) == min(len(whole), SLICE_PORTS)


def test_users_are_read_from_the_local_file_the_first_name_of_an_id(tmp_path: Path) -> None:
    passwd = tmp_path / "passwd"
    passwd.write_text("root:x:0:0::/:\ntoor:x:0:0::/:\nbroken\nhaproxy:x:99:99::/:\n+::::::\n")

    assert users(passwd) == {0: "root", 99: "haproxy"}
    assert users(tmp_path / "none") == {}
