"""The kernel's text says of a socket what its record says, as far as it goes."""

import sys

import pytest

from agent.netlink.bytecode import AF_INET, AF_INET6, wanted
from agent.netlink.proc_net import done, records, table_name
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families
from shared.addresses import parse_ip
from shared.tcp import ALL_STATES, State

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LISTENER = "   0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n"
TIME_WAIT = "   1: 0100007F:9C40 0200000A:0050 06 00000000:00000000 03:00000FA0 00000000     0        0 0 3 0\n"
OVER_V6 = (
    "   0: 00000000000000000000000001000000:9C41 0000000000000000FFFF00000100007F:0050 01 00000000:00000000 "
    "00:00000000 00000000  33        0 12 1 0 20 4 30 10 -1\n"
)
pytestmark = pytest.mark.skipif(sys.byteorder == "big", reason="the text has this host's byte order; ours is little")


def read(lines: list[str], family: int) -> list[Socket]:
    answer = b"".join(records(lines, family, wanted(both_families(ALL_STATES)))) + done()
    return list(sockets(memoryview(answer)))


def test_a_listener_and_a_time_wait_are_read() -> None:
    listener, time_wait = read([HEADING, LISTENER, TIME_WAIT, "short line\n"], AF_INET)

    assert (listener.local, listener.local_port, listener.state) == (parse_ip("127.0.0.1"), 9001, State.LISTEN)
    assert (listener.uid, listener.inode) == (1000, 4711)
    assert (time_wait.peer, time_wait.peer_port, time_wait.state) == (parse_ip("10.0.0.2"), 80, State.TIME_WAIT)
    assert (time_wait.timer, time_wait.expires_ms) == (3, 40_000)


def test_ipv6_is_read_and_v4_mapped_addresses_are_folded() -> None:
    (connected,) = read([HEADING, OVER_V6], AF_INET6)

    assert (connected.local, connected.peer) == (parse_ip("::1"), parse_ip("127.0.0.1"))


def test_a_cookie_belongs_to_the_addresses() -> None:
    first, again = read([TIME_WAIT], AF_INET), read([TIME_WAIT.replace(" 06 ", " 01 ")], AF_INET)

    assert first[0].cookie == again[0].cookie != read([LISTENER], AF_INET)[0].cookie


def test_what_the_text_does_not_tell_is_unknown() -> None:
    (listener,) = read([LISTENER], AF_INET)

    assert (listener.cgroup_id, listener.sockopt, listener.v6only) == (None, None, None)


def test_tables_have_the_kernels_names() -> None:
    assert (table_name("tcp", AF_INET), table_name("udp", AF_INET6)) == ("tcp", "udp6")
