"""Every namespace of the host in one sample, whatever comes and goes meanwhile."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from agent.cadence import SILENT_KEPT_S
from agent.errors import SamplingFailed
from agent.exact import shows_idle_binds
from agent.glance import glance
from agent.host import AGAIN_S, HostSample, HostSampler
from agent.netlink.sock_diag import SockDiag
from agent.netns import OWN, UnknownNamespace, discovery
from agent.sampling import CALM_BINDERS_EVERY_S, Sampler
from agent.tally import Summary
from shared.model import Snapshot
from shared.wire import decode, encode
from tests.builders import a_snapshot
from tests.netns import Netns, fresh_netns
from tests.sockets import connect, listen

CHURNING = 4


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /run/netns for this test alone."""
    monkeypatch.setattr(discovery, "NAMED", (tmp_path,))
    return tmp_path


@pytest.fixture
def named(new_netns: Callable[[], Netns], names: Path) -> Callable[[str, int], Netns]:
    """Make a namespace of that name with a range of so many ports."""

    def make(name: str, ports: int) -> Netns:
        netns = new_netns()
        netns.set_sysctl("ipv4/ip_local_port_range", f"40000 {40_000 + ports - 1}")
        (names / name).symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")
        return netns

    return make


def by_name(sample: HostSample) -> dict[str, Summary]:
    return {summary.namespace.name: summary for summary in sample.summaries}


def test_each_namespace_is_counted_by_its_own_settings_and_sockets(
    named: Callable[[str, int], Netns], keep: list[socket.socket]
) -> None:
    web, edge = named("web", 100), named("edge", 300)
    web.run(connect, keep, web.run(listen, keep, 9001), 30)
    edge.run(connect, keep, edge.run(listen, keep, 9001), 50)

    sample = web.run(HostSampler().sample_all, 0.0)

    found = by_name(sample)
    assert (sample.own, sample.summaries[0].namespace.name) == ("web", "web")
    assert [(found[name].readings[0].held, found[name].readings[0].capacity) for name in ("web", "edge")] == [
        (30, 100),
        (50, 300),
    ]
    assert {reading.pool.netns for reading in found["edge"].readings} == {"edge"}


def test_only_those_asked_for_are_sampled(named: Callable[[str, int], Netns]) -> None:
    web, _edge = named("web", 100), named("edge", 300)

    def sampled(*only: str) -> list[str]:
        return list(by_name(web.run(HostSampler(only=only).sample_all, 0.0)))

    assert sampled(OWN) == ["web"]
    assert sampled("edge") == ["edge"]
    assert sampled("edge", "web") == ["web", "edge"]


def test_one_that_is_asked_for_and_not_there_is_told(named: Callable[[str, int], Netns]) -> None:
    named("edge", 300)

    with pytest.raises(UnknownNamespace, match="did you mean 'edge'"):
        HostSampler(only=["egde"]).sample_all(0.0)

    sample = HostSampler(only=["egde", "edge"]).sample_all(0.0)
    assert list(by_name(sample)) == ["edge"]
    assert [one.namespaces for one in sample.unreadable] == [1]


def test_a_failure_elsewhere_is_told_and_one_at_home_is_raised(
    named: Callable[[str, int], Netns], monkeypatch: pytest.MonkeyPatch
) -> None:
    web, edge = named("web", 100), named("edge", 300)
    sample_one = Sampler.sample

    def fails_in_edge(sampler: Sampler, now_s: float) -> Summary:
        if sampler.place.name == "edge":
            raise SamplingFailed("no sysctls here")
        return sample_one(sampler, now_s)

    monkeypatch.setattr(Sampler, "sample", fails_in_edge)

    sample = web.run(HostSampler().sample_all, 0.0)

    assert "edge" not in by_name(sample)
    assert (1, "edge: no sysctls here") in [(one.namespaces, one.why) for one in sample.unreadable]
    with pytest.raises(SamplingFailed):
        edge.run(HostSampler().sample_all, 0.0)


def test_sampling_does_not_keep_a_namespace_alive(new_netns: Callable[[], Netns], names: Path) -> None:
    """With its namespace a container's cable goes; it would hang about, if anything of ours were still open inside."""
    home = new_netns()
    sampler = HostSampler()
    with fresh_netns() as container:
        home.join(container, "10.99.0.1/24", "10.99.0.2/24")
        (names / "container").symlink_to(f"/proc/{os.getpid()}/task/{container.thread_id}/ns/net")
        sampled = by_name(home.run(sampler.sample_all, 0.0))

    assert "container" in sampled
    assert within(5.0, lambda: "cable" not in home.check_output(["ip", "link"]))


def within(patience_s: float, fact: Callable[[], bool]) -> bool:
    """Whether it comes true in time; the kernel takes namespaces down in its own time."""
    deadline = time.monotonic() + patience_s
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def coming_and_going(names: Path) -> Iterator[None]:
    """Namespaces are made and ended, with connections, names and processes, for as long as the block is open."""
    over = threading.Event()

    def churn(number: int) -> None:
        chance = random.Random(number)
        while not over.is_set():
            kept: list[socket.socket] = []
            with fresh_netns() as netns:
                name = names / f"churn{number}"
                name.symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")
                netns.run(connect, kept, netns.run(listen, kept, 9001), chance.randrange(5))
                netns.popen(["sleep", "60"])
                time.sleep(chance.random() / 3)
                name.unlink()
            for one in kept:
                one.close()

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(CHURNING)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_samples_while_namespaces_come_and_go_are_whole_and_leave_no_file_open(
    named: Callable[[str, int], Netns], names: Path, keep: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is there each time, exact; names are unique; each sample may travel; nothing raises, nothing leaks."""
    monkeypatch.setattr("agent.netns.atlas.LOOK_EVERY_S", 0.0)
    edge = named("edge", 300)
    edge.run(connect, keep, edge.run(listen, keep, 9001), 50)
    sampler = HostSampler(only=["edge", *(f"churn{number}" for number in range(CHURNING))])
    edge.run(sampler.sample_all, 0.0)
    before = open_files()

    seen: set[str] = set()
    with coming_and_going(names):
        for turn in range(30):
            sample = edge.run(sampler.sample_all, float(turn))
            assert by_name(sample)["edge"].readings[0].held == 50
            seen |= by_name(sample).keys()
            assert decode(encode(snapshot_of(sample))).namespaces

    assert len(seen) > 1
    assert open_files() == before


def test_a_namespace_whose_counters_stand_still_is_not_looked_at_again(
    named: Callable[[str, int], Netns], keep: list[socket.socket]
) -> None:
    web, edge = named("web", 100), named("edge", 300)
    listeners = [netns.run(listen, keep, 9001) for netns in (web, edge)]
    web.run(connect, keep, listeners[0], 30)
    edge.run(connect, keep, listeners[1], 50)
    sampler = HostSampler(only=["web", "edge"], thresholds=(0.5, 1.0))

    first, second = (web.run(sampler.sample_all, now_s) for now_s in (0.0, 10.0))
    edge.run(connect, keep, listeners[1], 1)
    third = web.run(sampler.sample_all, 20.0)

    assert (first.looked_at, second.looked_at, third.looked_at) == (2, 0, 1)
    assert second == replace(first, looked_at=0)
    assert [summary.readings[0].held for summary in third.summaries] == [30, 51]


def test_the_latest_sample_is_told_again_without_going_round_while_nothing_moves(
    named: Callable[[str, int], Netns], keep: list[socket.socket]
) -> None:
    web = named("web", 100)
    listener = web.run(listen, keep, 9001)
    web.run(connect, keep, listener, 30)
    sampler = HostSampler(only=["web"], thresholds=(0.5, 1.0))

    def again(now_s: float) -> HostSample | None:
        return web.run(lambda: sampler.again(glance(sampler, now_s).places, now_s))

    assert again(0.0) is None
    first = web.run(sampler.sample_all, 0.0)
    assert again(AGAIN_S - 1) == replace(first, looked_at=0)
    assert again(AGAIN_S) is None
    web.run(connect, keep, listener, 1)
    assert again(AGAIN_S - 1) is None


def test_what_was_kept_is_looked_at_again_after_a_while_and_when_settings_change(
    named: Callable[[str, int], Netns], keep: list[socket.socket]
) -> None:
    web = named("web", 100)
    web.run(connect, keep, web.run(listen, keep, 9001), 30)
    sampler = HostSampler(only=["web"], thresholds=(0.5, 1.0))
    web.run(sampler.sample_all, 0.0)

    assert web.run(sampler.sample_all, SILENT_KEPT_S).looked_at == 1
    assert web.run(sampler.sample_all, SILENT_KEPT_S + 1).looked_at == 0
    web.set_sysctl("ipv4/ip_local_port_range", "40000 40199")
    changed = web.run(sampler.sample_all, SILENT_KEPT_S + 2)
    assert (changed.looked_at, changed.readings[0].capacity) == (1, 200)


def test_a_port_bound_by_an_idle_socket_is_found_though_no_counter_tells(
    named: Callable[[str, int], Netns], keep: list[socket.socket]
) -> None:
    web = named("web", 100)
    web.run(connect, keep, web.run(listen, keep, 9001), 30)
    sampler = HostSampler(only=["web"], thresholds=(0.5, 1.0))
    if not web.run(shows_idle_binds_here):
        pytest.skip("this kernel does not list sockets that are bound and not connected")
    web.run(sampler.sample_all, 0.0)
    web.run(bind_any, keep)

    assert web.run(sampler.sample_all, CALM_BINDERS_EVERY_S).readings[0].capacity == 99


@pytest.mark.parametrize("is_made", [False, True])
def test_idle_binders_are_asked_for_seldom_while_no_socket_is_made(
    named: Callable[[str, int], Netns],
    keep: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    is_made: bool,
) -> None:
    """Who binds has to make a socket first, and the kernel counts those of every kind."""
    web = named("web", 100)
    web.run(connect, keep, web.run(listen, keep, 9001), 30)
    sampler = HostSampler(only=["web"], thresholds=(0.5, 1.0))
    monkeypatch.setattr("agent.netns.sockstat.outside", lambda: 70)
    web.run(sampler.sample_all, 0.0)
    asked = Mock(return_value=frozenset())
    monkeypatch.setattr("agent.sampling.bound_ports", asked)
    monkeypatch.setattr("agent.netns.sockstat.outside", lambda: 70 + is_made)

    assert web.run(sampler.sample_all, CALM_BINDERS_EVERY_S).looked_at == 0
    assert asked.called == is_made


def bind_any(keep: list[socket.socket]) -> None:
    keep.append(socket.socket())
    keep[-1].bind(("127.0.0.1", 0))


def shows_idle_binds_here() -> bool:
    with SockDiag() as diag:
        return shows_idle_binds(diag)


def snapshot_of(sample: HostSample) -> Snapshot:
    return a_snapshot(*sample.readings, namespaces=[summary.namespace for summary in sample.summaries])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
