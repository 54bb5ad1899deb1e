"""A glance costs next to nothing and misses nothing: every namespace that is sampled, however it can be reached."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cadence import Place
from agent.glance import SETTINGS_EVERY_S, Glance, glance
from agent.host import HostSampler
from agent.netns import discovery
from tests.netns import Netns, fresh_netns
from tests.sockets import connect, listen

THRESHOLDS = (0.5, 1.0)


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /run/netns for this test alone."""
    monkeypatch.setattr(discovery, "NAMED", (tmp_path,))
    return tmp_path


def name(netns: Netns, called: str, names: Path) -> None:
    (names / called).symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")


def opened(place: Place) -> int:
    assert place.now is not None
    assert place.then.counters is not None
    return place.now.gained_since(place.then.counters)


def test_connections_since_the_latest_sample_are_seen_at_home_and_elsewhere(
    new_netns: Callable[[], Netns], names: Path, keep: list[socket.socket]
) -> None:
    """Elsewhere has a name and no process, as a proxy's namespace may: somebody has to go there."""
    home, elsewhere = new_netns(), new_netns()
    name(home, "home", names)
    name(elsewhere, "elsewhere", names)
    listeners = [home.run(listen, keep, 9001), elsewhere.run(listen, keep, 9001)]
    sampler = HostSampler(only=["home", "elsewhere"], thresholds=THRESHOLDS)
    home.run(sampler.sample_all, 0.0)

    assert [opened(one) for one in home.run(glance, sampler, 1.0).places] == [0, 0]
    home.run(connect, keep, listeners[0], 3)
    elsewhere.run(connect, keep, listeners[1], 5)

    assert [opened(one) for one in home.run(glance, sampler, 2.0).places] == [3, 5]


def test_a_process_is_read_through_where_there_is_one(
    new_netns: Callable[[], Netns], keep: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, container = new_netns(), new_netns()
    container.run(connect, keep, container.run(listen, keep, 9001), 2)
    process = container.popen(["sleep", "600"])
    sampler = HostSampler(thresholds=THRESHOLDS)
    home.run(sampler.sample_all, 0.0)
    (place,) = [one for one in sampler.kept if str(process.pid) in one.name]

    def nobody_goes(*_: object) -> None:
        raise AssertionError("nobody needs to go there")

    monkeypatch.setattr("agent.glance._visit", nobody_goes)
    sampler.kept = {place: sampler.kept[place]}

    assert [opened(one) for one in home.run(glance, sampler, 1.0).places] == [0]


def test_a_namespace_that_has_ended_is_passed_over(new_netns: Callable[[], Netns], names: Path) -> None:
    home = new_netns()
    name(home, "home", names)
    sampler = HostSampler(only=["home", "container"], thresholds=THRESHOLDS)
    with fresh_netns() as container:
        name(container, "container", names)
        home.run(sampler.sample_all, 0.0)
    (names / "container").unlink()

    assert len(home.run(glance, sampler, 1.0).places) == 1
    assert [place.name for place in sampler.kept] == ["home"]


def test_a_namespace_that_came_since_is_noticed_once_it_has_sockets(
    new_netns: Callable[[], Netns], names: Path, keep: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.netns.atlas.LOOK_EVERY_S", 0.0)
    home, newcomer = new_netns(), new_netns()
    sampler = HostSampler(thresholds=THRESHOLDS)
    home.run(sampler.sample_all, 0.0)
    name(newcomer, "newcomer", names)
    newcomer.run(listen, keep, 9001)

    assert home.run(glance, sampler, 2.0).has_newcomer
    home.run(sampler.sample_all, 2.0)

    assert "newcomer" in [place.name for place in sampler.kept]


def test_changed_settings_of_our_own_are_noticed_within_seconds_and_at_once_where_connections_come_or_go(
    netns: Netns, names: Path, keep: list[socket.socket]
) -> None:
    name(netns, "home", names)
    sampler = HostSampler(only=["home"], thresholds=THRESHOLDS)
    netns.run(sampler.sample_all, 0.0)
    assert not netns.run(glance, sampler, 1.0).is_changed

    netns.set_sysctl("ipv4/ip_local_reserved_ports", "40000-40010")

    assert not netns.run(glance, sampler, 1.0 + SETTINGS_EVERY_S - 0.1).is_changed
    assert netns.run(glance, sampler, 1.0 + SETTINGS_EVERY_S).is_changed
    netns.run(listen, keep, 9001)
    assert netns.run(glance, sampler, 1.1 + SETTINGS_EVERY_S).is_changed


def test_before_the_first_sample_there_is_nothing_to_compare(netns: Netns) -> None:
    assert netns.run(glance, HostSampler(thresholds=THRESHOLDS), 0.0) == Glance(
        [], has_newcomer=False, is_changed=False
    )
