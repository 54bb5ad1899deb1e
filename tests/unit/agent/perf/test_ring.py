"""One ring on one CPU: what passed the filter is counted, read once, and counted even where no room was left."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.failures import EVENT
from agent.perf.layout import parse_format
from agent.perf.ring import Ring
from agent.perf.tracefs import event_format
from tests.netns import Netns

DESCRIPTORS = Path("/proc/self/fd")
REFUSED = "oldstate==2 && newstate==7 && dport==9"


@pytest.fixture
def ring(netns: Netns, watching: None) -> Iterator[Ring]:
    """Of the CPU on which the namespace's thread is kept, so that each of its connects is seen here."""
    del watching
    cpu = min(os.sched_getaffinity(0))
    netns.run(os.sched_setaffinity, 0, {cpu})
    layout = parse_format(event_format(EVENT), {})
    made = Ring(layout.event_id, cpu, f"{REFUSED} && common_pid=={netns.run(threading.get_native_id)}")
    yield made
    made.close()


def refused(times: int) -> None:
    for _ in range(times):
        with socket.socket() as client:
            client.connect_ex(("127.0.0.1", 9))


def test_each_hit_is_read_once(netns: Netns, ring: Ring) -> None:
    netns.run(refused, 5)
    first, second = list(ring.drain()), list(ring.drain())
    netns.run(refused, 2)

    assert [one.pid for one in first] == [os.getpid()] * 5
    assert [one.tid for one in first] == [netns.thread_id] * 5
    assert (len(second), len(list(ring.drain())), ring.hits()) == (0, 2, 7)


def test_the_ring_wraps_around_and_goes_on(netns: Netns, ring: Ring) -> None:
    for _ in range(6):
        netns.run(refused, 600)
        assert len(list(ring.drain())) == 600


def test_hits_that_found_no_room_are_counted(netns: Netns, ring: Ring) -> None:
    netns.run(refused, 3_000)

    read = len(list(ring.drain()))

    assert 500 < read < 3_000
    assert ring.hits() == 3_000


def test_a_filter_the_kernel_does_not_understand_leaves_nothing_open(ring: Ring) -> None:
    del ring
    before = len(list(DESCRIPTORS.iterdir()))
    layout = parse_format(event_format(EVENT), {})

    with pytest.raises(OSError, match="Invalid argument"):
        Ring(layout.event_id, 0, "no_such_field==1")

    assert len(list(DESCRIPTORS.iterdir())) == before
