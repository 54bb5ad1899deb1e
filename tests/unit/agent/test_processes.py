"""Processes are found by the sockets they have open, with bounded work."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import processes
from agent.ownership import Process
from agent.processes import Search, Table, cgroup_of

HOLDER = """
import socket, sys
kept = [socket.socket() for _ in range(int(sys.argv[1]))]
print(*[__import__("os").fstat(one.fileno()).st_ino for one in kept], flush=True)
sys.stdin.read()
"""


def holder(count: int) -> tuple["subprocess.Popen[str]", list[int]]:
    """A process with so many sockets open, and their inodes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, [int(inode) for inode in process.stdout.readline().split()]


@pytest.fixture
def child() -> Iterator[tuple[int, list[int]]]:
    """(pid, socket inodes) of a process with 40 sockets."""
    process, inodes = holder(40)
    yield process.pid, inodes
    process.communicate()


def test_the_process_behind_a_socket_is_found(child: tuple[int, list[int]]) -> None:
    pid, inodes = child
    search = Search(dict.fromkeys(inodes, "pool"))

    search.among([os.getpid(), pid])

    assert [one.pid for one in search.found["pool"]] == [pid]
    assert search.found["pool"][0].comm.startswith("python")
    assert search.missing() == set()


def test_a_process_is_told_once_for_each_key_it_has(child: tuple[int, list[int]]) -> None:
    pid, inodes = child
    search = Search({inodes[0]: "a", inodes[1]: "a", inodes[2]: "b", 1: "c"})

    search.among([pid, pid])

    assert {key: [one.pid for one in found] for key, found in search.found.items()} == {"a": [pid], "b": [pid]}
    assert search.missing() == {"c"}


def test_of_a_large_table_a_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds much of a pool is found without its table being listed."""
    monkeypatch.setattr(processes, "FEW", 100)
    process, inodes = holder(600)
    search = Search(dict.fromkeys(inodes, "pool"))

    search.among([process.pid])
    process.communicate()

    assert [one.pid for one in search.found["pool"]] == [process.pid]
    assert search.links < 200


def test_a_process_that_brings_nothing_new_is_left(tmp_path: Path) -> None:
    """It has a thousand sockets of one pool; whether it has one of the other is not worth a thousand links."""
    a_process(tmp_path, 10, 1_000, sockets=[500])
    search = Search({500: "pool", 501: "other"}, proc=tmp_path)

    search.among([10])

    assert search.links < 20
    assert search.missing() == {"other"}


def test_the_work_is_bounded(child: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_LINKS", 10)
    search = Search({1: "nobody"})

    search.among([child[0]])
    search.everywhere()

    assert search.links <= 10


def test_the_right_namespace_comes_first_then_the_right_user_then_the_largest_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five processes hold the socket; there is work enough for one each time."""
    monkeypatch.setattr(processes, "MOST_PROCESSES", 1)
    for pid, uid, slots, inside in ((1, 5, 90, False), (2, 0, 99, True), (3, 5, 2, True), (4, 5, 400, True)):
        a_process(tmp_path, pid, slots, sockets=[500], uid=uid)
        if inside:
            (tmp_path / str(pid) / "ns").mkdir()
            (tmp_path / str(pid) / "ns" / "net").hardlink_to(tmp_path / "1" / "comm")
    search = Search({500: "pool"}, namespaces=[(tmp_path / "1" / "comm").stat().st_ino], uids=[5], proc=tmp_path)

    search.everywhere()

    assert [one.pid for one in search.found["pool"]] == [4]


def test_once_found_the_small_fry_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with a hundredth of the descriptors cannot hold much of the pool."""
    sizes = {10: 1_000, 11: 50, 12: 900}
    for pid in sizes:
        a_process(tmp_path, pid, 5, sockets=[500])
    monkeypatch.setattr(
        Search,
        "_table",
        lambda _self, pid: Table(is_there=True, is_theirs=True, descriptors=sizes[pid], slots=5, pid=pid),
    )
    search = Search({500: "pool"}, proc=tmp_path)

    search.everywhere()

    assert {one.pid for one in search.found["pool"]} == {10, 12}


def test_kernel_threads_and_processes_that_ended_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "20").mkdir()
    (tmp_path / "20" / "status").write_text("Name:\tkworker\nUid:\t0\t0\t0\t0\nFDSize:\t64\nThreads:\t1\n")
    (tmp_path / "21").mkdir()
    (tmp_path / "self").mkdir()
    search = Search({500: "pool"}, proc=tmp_path)

    search.everywhere()

    assert (search.found, search.hidden, search.links) == ({}, 0, 0)


def test_without_proc_nobody_is_found_and_nothing_fails(tmp_path: Path) -> None:
    search = Search({500: "pool"}, proc=tmp_path / "none")

    search.everywhere()

    assert search.missing() == {"pool"}


def test_a_name_with_odd_bytes_is_made_printable(tmp_path: Path) -> None:
    a_process(tmp_path, 10, 64, sockets=[500])
    (tmp_path / "10" / "comm").write_bytes(b"\x1b[2J\xff\n")
    search = Search({500: "pool"}, proc=tmp_path)

    search.among([10])

    assert search.found["pool"] == [Process(10, "?[2J\ufffd")]


def test_the_group_of_a_process_is_read_from_proc() -> None:
    assert cgroup_of(os.getpid()).startswith("/")
    assert cgroup_of(0) == "/"


def a_process(proc: Path, pid: int, slots: int, *, sockets: list[int], uid: int = 0) -> None:
    """Looks like a process in /proc, each of its descriptors a socket. A directory's size stands for their number."""
    descriptors = proc / str(pid) / "fd"
    descriptors.mkdir(parents=True)
    (proc / str(pid) / "status").write_text(
        f"Name:\tx\nUid:\t0\t{uid}\t0\t0\nFDSize:\t{slots}\nGroups:\t\nVmSize:\t  9 kB\n"
    )
    (proc / str(pid) / "comm").write_text("x\n")
    for number in range(slots):
        (descriptors / str(number)).symlink_to(f"socket:[{sockets[number % len(sockets)]}]")
