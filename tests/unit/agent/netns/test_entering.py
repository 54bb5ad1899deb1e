"""A thread goes in and does not come back; nothing is left open behind it."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.netns.entering import cookie, cpu_s, enter, is_first, own_inode, travelling
from agent.netns.errors import NamespaceGone
from tests.netns import Netns


def way_into(netns: Netns) -> str:
    return f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net"


def test_a_traveller_is_inside_and_the_caller_where_it_was(netns: Netns) -> None:
    here, there = own_inode(), netns.run(own_inode)

    def go() -> int:
        enter([way_into(netns)], there)
        return own_inode()

    assert travelling(go) == there
    assert own_inode() == here != there


def test_a_traveller_starts_where_its_caller_is(netns: Netns) -> None:
    assert netns.run(travelling, own_inode) == netns.run(own_inode)


def test_what_a_journey_took_is_told_to_who_sent_it_off() -> None:
    def busy() -> None:
        until_s = time.thread_time() + 0.05
        while time.thread_time() < until_s:
            pass

    before_s = cpu_s()
    travelling(travelling, busy)

    assert 0.05 <= cpu_s() - before_s < 1.0


def test_the_next_way_is_tried_where_the_first_is_gone_or_leads_elsewhere(netns: Netns) -> None:
    there = netns.run(own_inode)

    def go() -> int:
        enter(["/proc/0/ns/net", "/proc/self/ns/net", way_into(netns)], there)
        return own_inode()

    assert travelling(go) == there


def test_where_no_way_leads_there_any_more_it_is_gone(netns: Netns) -> None:
    ended = netns.popen(["sleep", "60"])
    ended.terminate()
    ended.wait()

    with pytest.raises(NamespaceGone):
        travelling(enter, [f"/proc/{ended.pid}/ns/net"], netns.run(own_inode))


def test_every_namespace_has_a_cookie_of_its_own(netns: Netns) -> None:
    assert netns.run(cookie) != cookie()
    assert cookie() == cookie() != 0


def test_a_fresh_namespace_is_not_the_first(netns: Netns) -> None:
    assert not netns.run(is_first)


ENTER = """
import sys
import time
from agent.netns.entering import enter
from agent.netns.errors import EntryRefused
try:
    enter([sys.argv[1]], int(sys.argv[2]))
except EntryRefused as error:
    print(error.code, error)
"""


@pytest.mark.parametrize(("without", "code"), [("-sys_admin", errno.EPERM), ("-sys_admin,-sys_ptrace", errno.EACCES)])
def test_a_refusal_tells_which_right_is_missing(netns: Netns, without: str, code: int) -> None:
    way = f"/proc/{netns.popen(['sleep', '60']).pid}/ns/net"
    command = ["setpriv", "--bounding-set", without, sys.executable, "-c", ENTER, way, str(netns.run(own_inode))]

    told = subprocess.check_output(command, text=True)

    assert told.startswith(f"{code} ")
    assert "CAP_SYS_ADMIN" in told


def test_going_in_leaves_no_file_open(netns: Netns) -> None:
    there = netns.run(own_inode)
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        travelling(enter, [way_into(netns)], there)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
