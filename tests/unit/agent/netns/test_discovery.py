"""Namespaces are found wherever they live."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.netns import discovery
from agent.netns.discovery import look_around, traits_of, tree_of
from tests.netns import Netns


def inode(netns: Netns) -> int:
    return netns.run(lambda: Path("/proc/thread-self/ns/net").stat().st_ino)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /run/netns for this test alone."""
    monkeypatch.setattr(discovery, "NAMED", (tmp_path,))
    return tmp_path


def test_a_namespace_is_found_by_its_processes_lowest_first(netns: Netns) -> None:
    processes = [netns.popen(["sleep", "60"]) for _ in range(3)]

    sighting = look_around().seen[inode(netns)]

    assert sighting.pids == sorted(process.pid for process in processes)
    assert (traits_of(sighting).comm, traits_of(sighting).pid) == ("sleep", min(sighting.pids))


def test_a_namespace_is_found_by_its_name(netns: Netns, names: Path) -> None:
    (names / "edge").symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")

    sighting = look_around().seen[inode(netns)]

    assert (sighting.given, sighting.files, sighting.pids) == (["edge"], [str(names / "edge")], [])


def test_what_is_left_of_a_deleted_name_is_no_namespace(names: Path) -> None:
    """`ip netns` puts the mount on an ordinary file, which may stay; links may lead nowhere."""
    (names / "stale").touch()
    (names / "dangling").symlink_to("/proc/0/ns/net")

    assert all("stale" not in one.given and "dangling" not in one.given for one in look_around().seen.values())


def test_folders_that_are_one_are_read_once(netns: Netns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/var/run is a link to /run."""
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to("run")
    (tmp_path / "run" / "edge").symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")
    monkeypatch.setattr(discovery, "NAMED", (tmp_path / "run", tmp_path / "var"))

    assert look_around().seen[inode(netns)].given == ["edge"]


def test_a_namespace_has_a_tree_of_its_own_that_tells_it_from_others(netns: Netns) -> None:
    first, second = (netns.popen(["sleep", "60"]).pid for _ in range(2))

    assert tree_of(first) == tree_of(second)
    assert tree_of(first) != tree_of(os.getpid())
    assert tree_of(2**22 + 1) is None


ASK = "from agent.netns.discovery import look_around; land = look_around(); print(*land.closed.values())"


def test_processes_that_do_not_let_us_look_leave_a_trace(netns: Netns) -> None:
    """Fewer capabilities than theirs, and none to look at others: so it is for any user but root."""
    sleeper = netns.popen(["sleep", "60"])
    without = ["setpriv", "--bounding-set", "-sys_admin,-sys_ptrace"]

    told = subprocess.check_output([*without, sys.executable, "-c", ASK], text=True)

    assert str(sleeper.pid) in told.split()
