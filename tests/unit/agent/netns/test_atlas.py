"""Namespaces are followed as they come and go, and keep their names."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.model import NetnsId
from agent.netns import OWN, Atlas, UnknownNamespace, current, discovery, travelling
from agent.netns.atlas import LOOK_EVERY_S
from agent.netns.discovery import Landscape, look_around
from agent.netns.entering import own_inode
from tests.netns import Netns, end
from tests.sockets import listen


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /run/netns for this test alone."""
    monkeypatch.setattr(discovery, "NAMED", (tmp_path,))
    return tmp_path


@pytest.fixture
def nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what was there before the test, for tests that count."""
    there = {(inode, *seen.ways) for inode, seen in look_around().seen.items()}

    def look() -> Landscape:
        land = look_around()
        ours = {inode: seen for inode, seen in land.seen.items() if (inode, *seen.ways) not in there}
        return Landscape(ours, {}, 0)

    monkeypatch.setattr("agent.netns.atlas.look_around", look)


@pytest.fixture
def clock_s() -> Iterator[float]:
    """Times far enough apart for a new look each."""
    return iter(range(0, 10_000, int(LOOK_EVERY_S) + 1))


def tour(atlas: Atlas, now_s: float) -> list[NetnsId]:
    return travelling(lambda: list(atlas.tour(now_s)))


def names_by_inode(atlas: Atlas, now_s: float) -> dict[int, str]:
    return {place.inode: place.name for place in tour(atlas, now_s)}


def a_name(netns: Netns, folder: Path, name: str) -> None:
    """What `ip netns attach` does, without the mount."""
    (folder / name).symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")


def test_our_own_comes_first_and_no_name_is_there_twice(new_netns: Callable[[], Netns]) -> None:
    first, second = new_netns(), new_netns()
    for one in (first, second):
        one.popen(["sleep", "60"])

    places = first.run(tour, Atlas(), 0.0)

    assert places[0].inode == first.run(own_inode)
    assert second.run(own_inode) in {place.inode for place in places[1:]}
    assert len({place.name for place in places}) == len(places) == len({place.inode for place in places})


def test_each_stop_is_inside_the_namespace_it_names(netns: Netns) -> None:
    netns.popen(["sleep", "60"])

    stops = travelling(lambda: [(place.inode, own_inode()) for place in Atlas().tour(0.0)])

    assert (netns.run(own_inode), netns.run(own_inode)) in stops
    assert all(told == inside for told, inside in stops)


def test_a_name_outlives_the_process_it_came_from(netns: Netns, clock_s: Iterator[float]) -> None:
    first = netns.popen(["sleep", "60"])
    netns.popen(["sleep", "61"])
    atlas, inode = Atlas(), netns.run(own_inode)

    before = names_by_inode(atlas, next(clock_s))[inode]
    end([first])

    assert before == names_by_inode(atlas, next(clock_s))[inode] == f"sleep[{first.pid}]"


def test_a_makeshift_name_gives_way_to_a_lasting_one(netns: Netns, names: Path, clock_s: Iterator[float]) -> None:
    """A container's namespace is often there before anything tells whose it is."""
    netns.popen(["sleep", "60"])
    atlas, inode = Atlas(), netns.run(own_inode)
    makeshift = names_by_inode(atlas, next(clock_s))[inode]
    a_name(netns, names, "edge")
    lasting = names_by_inode(atlas, next(clock_s))[inode]
    (names / "edge").rename(names / "other")

    assert makeshift.startswith("sleep[")
    assert (lasting, names_by_inode(atlas, next(clock_s))[inode]) == ("edge", "edge")


def test_an_inode_that_was_used_again_is_another_namespace(
    netns: Netns, names: Path, clock_s: Iterator[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_name(netns, names, "edge")
    atlas, inode = Atlas(), netns.run(own_inode)
    before = names_by_inode(atlas, next(clock_s))[inode]
    (names / "edge").rename(names / "next")
    monkeypatch.setattr("agent.netns.atlas.cookie", lambda: 2**40)

    assert (before, names_by_inode(atlas, next(clock_s))[inode]) == ("edge", "next")


def test_nobody_else_is_called_host(netns: Netns, names: Path) -> None:
    a_name(netns, names, "host")

    inode = netns.run(own_inode)
    assert names_by_inode(Atlas(), 0.0)[inode] == f"host[{inode}]"


def test_one_that_ends_between_look_and_visit_is_passed_over(netns: Netns) -> None:
    process = netns.popen(["sleep", "60"])
    atlas, inode = Atlas(), netns.run(own_inode)
    seen = inode in names_by_inode(atlas, 0.0)
    end([process])

    assert seen
    assert inode not in names_by_inode(atlas, 0.1)
    assert not any("ended" in one.why for one in atlas.unreadable)


@pytest.mark.usefixtures("nobody_elses")
def test_namespaces_past_the_bound_are_counted(new_netns: Callable[[], Netns]) -> None:
    for _ in range(3):
        new_netns().popen(["sleep", "60"])
    atlas = Atlas(most=2)

    assert len(tour(atlas, 0.0)) == 2
    assert [one.namespaces for one in atlas.unreadable if "more than the 2" in one.why] == [2]


@pytest.mark.usefixtures("nobody_elses")
def test_those_followed_already_stay_when_more_come(new_netns: Callable[[], Netns], clock_s: Iterator[float]) -> None:
    atlas = Atlas(most=2)
    first = new_netns()
    first.popen(["sleep", "60"])
    before = tour(atlas, next(clock_s))
    for _ in range(3):
        new_netns().popen(["sleep", "60"])

    assert tour(atlas, next(clock_s)) == before


def test_a_function_runs_inside_the_namespace_it_is_meant_for(netns: Netns, names: Path) -> None:
    a_name(netns, names, "edge")

    place, inside = Atlas().inside("edge", lambda place: (place, own_inode()))

    assert (place.name, inside) == ("edge", netns.run(own_inode))
    assert Atlas().inside(OWN, lambda _place: own_inode()) == own_inode()


def test_an_unknown_name_is_answered_with_the_nearest(netns: Netns, names: Path) -> None:
    a_name(netns, names, "edge")

    with pytest.raises(UnknownNamespace, match="did you mean 'edge'"):
        Atlas().inside("egde", lambda place: place)


def test_the_namespace_of_this_thread(netns: Netns, names: Path) -> None:
    inode = netns.run(own_inode)
    nameless = netns.run(current)
    a_name(netns, names, "edge")

    assert (nameless.name, nameless.inode) == (f"net:[{inode}]", inode)
    assert netns.run(current).name == "edge"


TELL = """
import sys
from agent.netns import Atlas, atlas as module, discovery, travelling

def look():
    land = discovery.look_around()
    return land if len(sys.argv) == 1 else discovery.Landscape({int(sys.argv[1]): land.seen[int(sys.argv[1])]}, {}, 0)

module.look_around = look
atlas = Atlas()
places = travelling(lambda: list(atlas.tour(0.0)))
print(len(places), sum(one.namespaces for one in atlas.unreadable), *(one.why for one in atlas.unreadable))
"""


@pytest.mark.parametrize(
    ("without", "why"), [("-sys_admin", "needs CAP_SYS_ADMIN"), ("-sys_admin,-sys_ptrace", "needs CAP_SYS_PTRACE")]
)
def test_without_the_rights_our_own_is_seen_and_the_others_are_counted(
    netns: Netns, keep: list[socket.socket], without: str, why: str
) -> None:
    netns.popen(["sleep", "60"])
    command = ["setpriv", "--bounding-set", without, sys.executable, "-c", TELL]

    netns.run(listen, keep, 9001)
    told = subprocess.check_output(command, text=True)

    seen, unreadable, *whys = told.split(maxsplit=2)
    assert int(seen) == 1
    assert int(unreadable) >= 1
    assert why in whys[0]


def test_a_namespace_without_sockets_hides_nothing(netns: Netns, keep: list[socket.socket]) -> None:
    """Units with PrivateNetwork= would make every unprivileged agent cry wolf."""
    netns.popen(["sleep", "60"])
    command = ["setpriv", "--bounding-set", "-sys_admin", sys.executable, "-c", TELL, str(netns.run(own_inode))]

    counts = [int(subprocess.check_output(command, text=True).split()[1])]
    netns.run(listen, keep, 9001)
    counts.append(int(subprocess.check_output(command, text=True).split()[1]))

    assert counts == [0, 1]
