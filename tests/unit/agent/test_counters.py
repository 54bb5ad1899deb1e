"""The kernel's counters of a namespace, beside what really happens in it."""

import os
import socket
from pathlib import Path

from agent import counters
from agent.cadence import Counters
from tests.netns import Netns
from tests.sockets import connect, listen

SNMP = b"""Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs
Tcp: 1 200 120000 -1 943 834 3 3295 12 25090
Udp: InDatagrams
Udp: 0
"""
SOCKSTAT = b"sockets: used 290\nTCP: inuse 21 orphan 1 tw 353 alloc 90 mem 282\nUDP: inuse 4 mem 0\n"
SOCKSTAT6 = b"TCP6: inuse 7\nUDP6: inuse 2\n"


def test_both_families_are_counted_together() -> None:
    wanted = Counters(opened=943, accepted=834, established=12, segments=25_090, sockets=28, waiting=353)

    assert counters.parse(SNMP, SOCKSTAT + SOCKSTAT6) == wanted
    assert counters.parse(SNMP, SOCKSTAT) == wanted._replace(sockets=21)


def test_what_lacks_a_counter_is_not_guessed() -> None:
    assert counters.parse(b"", SOCKSTAT) is None
    assert counters.parse(SNMP, b"") is None
    assert counters.parse(SNMP.replace(b"ActiveOpens", b"Opens"), SOCKSTAT) is None


def test_a_process_that_ended_has_none(tmp_path: Path) -> None:
    assert counters.read(str(tmp_path)) is None


def test_connections_of_a_namespace_show_in_its_counters_from_inside_and_outside(
    netns: Netns, keep: list[socket.socket]
) -> None:
    listener = netns.run(listen, keep, 9001)
    before = netns.run(counters.read)
    netns.run(connect, keep, listener, 30)
    after = netns.run(counters.read)

    assert before is not None
    assert after is not None
    assert after[1] == before[1]
    assert after[0].opened - before[0].opened == after[0].gained_since(before[0]) == 30
    assert after[0].sockets == 61
    assert counters.read(f"/proc/{os.getpid()}/task/{netns.thread_id}/net") == after


def test_files_that_are_kept_open_tell_the_same_as_those_opened_anew(netns: Netns, keep: list[socket.socket]) -> None:
    own = counters.OwnCounters()
    listener = netns.run(listen, keep, 9001)
    before = netns.run(own.read)
    netns.run(connect, keep, listener, 30)
    opened_anew = netns.run(counters.read)

    assert before is not None
    assert opened_anew is not None
    assert netns.run(own.read) == opened_anew[0] != before
