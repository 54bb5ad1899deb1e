"""Ids of control groups are the inode numbers of their directories, wherever the hierarchy is mounted."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import cgroup_tree
from agent.cgroup_tree import MOUNTINFO, WALK_EVERY_S, CgroupTree
from agent.cgroups import cgroup2_mounts


@pytest.fixture
def hierarchy(tmp_path: Path) -> Path:
    """A tree that looks like one, with two groups and a file."""
    for group in ("system.slice/haproxy.service", "user.slice"):
        (tmp_path / "cgroup" / group).mkdir(parents=True)
    (tmp_path / "cgroup" / "cgroup.procs").write_text("1\n")
    (tmp_path / "cgroup/system.slice/haproxy.service/cgroup.procs").write_text("1312\n0\n1313\n")
    return tmp_path / "cgroup"


def tree_of(hierarchy: Path, tmp_path: Path, root: str = "/") -> CgroupTree:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"30 23 0:26 {root} {hierarchy} rw - cgroup2 cgroup2 rw\n")
    return CgroupTree(mountinfo)


def test_each_group_is_found_by_its_inode(hierarchy: Path, tmp_path: Path) -> None:
    tree = tree_of(hierarchy, tmp_path)

    paths = [
        tree.path_of((hierarchy / group).stat().st_ino, 0.0)
        for group in ("", "system.slice/haproxy.service", "user.slice")
    ]

    assert paths == ["/", "/system.slice/haproxy.service", "/user.slice"]


def test_the_processes_of_a_group_are_read_but_for_those_outside_our_pid_namespace(
    hierarchy: Path, tmp_path: Path
) -> None:
    tree = tree_of(hierarchy, tmp_path)

    assert tree.processes_in("/system.slice/haproxy.service") == [1312, 1313]
    assert tree.processes_in("/gone.service") == tree.processes_in("") == []


def test_a_mount_of_a_part_is_told_with_the_whole_path(hierarchy: Path, tmp_path: Path) -> None:
    tree = tree_of(hierarchy, tmp_path, root="/docker/abc")
    path = tree.path_of((hierarchy / "system.slice/haproxy.service").stat().st_ino, 0.0)

    assert path == "/docker/abc/system.slice/haproxy.service"
    assert tree.processes_in(path) == [1312, 1313]


def test_an_id_that_is_not_there_costs_one_walk_a_while(
    hierarchy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[str] = []

    def seen(directory: str) -> list[tuple[int, str]]:
        walks.append(directory)
        return children(directory)

    children = cgroup_tree._children
    monkeypatch.setattr(cgroup_tree, "_children", seen)
    tree = tree_of(hierarchy, tmp_path)

    assert [tree.path_of(2**63, now_s) for now_s in (0.0, 1.0, WALK_EVERY_S - 0.1)] == [""] * 3
    once = len(walks)
    tree.path_of(2**63, WALK_EVERY_S)

    assert once == 4
    assert len(walks) == 2 * once


def test_a_group_made_since_is_found_by_the_next_walk(hierarchy: Path, tmp_path: Path) -> None:
    tree = tree_of(hierarchy, tmp_path)
    tree.path_of(2**63, 0.0)
    (hierarchy / "new.service").mkdir()

    assert tree.path_of((hierarchy / "new.service").stat().st_ino, WALK_EVERY_S) == "/new.service"


def test_a_large_tree_is_walked_in_part(hierarchy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup_tree, "MOST_GROUPS", 2)

    assert tree_of(hierarchy, tmp_path).path_of(2**63, 0.0) == ""


@pytest.mark.parametrize("text", ["", "30 23 0:26 / /nonexistent rw - cgroup2 cgroup2 rw\n"])
def test_without_the_hierarchy_nothing_is_known_and_nothing_fails(tmp_path: Path, text: str) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(text)
    tree = CgroupTree(mountinfo)

    assert (tree.path_of(1, 0.0), tree.path_of(None, 0.0), tree.processes_in("/a")) == ("", "", [])


@pytest.fixture
def real_group() -> Iterator[Path]:
    """A group made in the running kernel's hierarchy."""
    mounts = cgroup2_mounts(MOUNTINFO.read_text())
    if not mounts or not os.access(mounts[0].point, os.W_OK):
        pytest.skip("no cgroup2 hierarchy that we may add to")
    made = Path(mounts[0].point) / f"portgauge-test-{uuid.uuid4().hex[:8]}.service"
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup2 hierarchy that we may add to: {error.strerror}")
    yield made
    made.rmdir()


def test_the_running_kernels_hierarchy_is_walked(real_group: Path) -> None:
    assert CgroupTree().path_of(real_group.stat().st_ino, 0.0).endswith(f"/{real_group.name}")
