"""Hidden binders are suspected by a few probes, and then swept for."""

import socket

import pytest

from agent.hidden import PROBES_PER_S, SCOUTS, HiddenBinders
from agent.sysctl import read_port_settings
from tests.netns import Netns
from tests.sockets import connect, listen

NOBODY: frozenset[int] = frozenset()


@pytest.fixture
def host(netns: Netns) -> Netns:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40999")
    return netns


def look(hidden: HiddenBinders, now_s: float, *, hot: bool = False, visible: frozenset[int] = NOBODY) -> None:
    hidden.look(read_port_settings(), visible, now_s, hot=hot)


def test_where_nobody_binds_a_few_probes_are_all(host: Netns) -> None:
    hidden = HiddenBinders()
    host.run(look, hidden, 0.0)

    assert len(hidden.buckets.known) == SCOUTS
    assert not hidden.found
    assert hidden.unproven(host.run(read_port_settings), 0.0) == 0


def test_a_binder_found_has_the_whole_range_swept_thinly(host: Netns, keep: list[socket.socket]) -> None:
    pairs = host.run(connect, keep, host.run(listen, keep, 9001), 200, local="127.0.0.1")
    hidden = HiddenBinders()
    host.run(look, hidden, 0.0)
    assert hidden.found
    assert hidden.unproven(host.run(read_port_settings), 0.0) > 0

    for second in range(1, 8):
        before = len(hidden.buckets.known)
        host.run(look, hidden, float(second))
        assert len(hidden.buckets.known) - before <= PROBES_PER_S

    assert hidden.shut(7.0) == {client.getsockname()[1] for client, _accepted in pairs}
    assert hidden.unproven(host.run(read_port_settings), 7.0) == 0


def test_a_command_that_samples_once_sweeps_at_once(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9001), 3, local="127.0.0.1")
    hidden = HiddenBinders(at_once=True)
    host.run(look, hidden, 0.0, hot=True)

    assert len(hidden.shut(0.0)) == 3
    assert len(hidden.buckets.known) == 1000


def test_ports_known_to_be_bound_or_reserved_are_not_asked_for(host: Netns) -> None:
    host.set_sysctl("ipv4/ip_local_reserved_ports", "40000-40009")
    hidden = HiddenBinders(at_once=True)
    host.run(look, hidden, 0.0, hot=True, visible=frozenset(range(40_010, 40_020)))

    assert set(hidden.buckets.known) == set(range(40_020, 41_000))


def test_where_asking_is_not_possible_it_says_why(host: Netns) -> None:
    hidden = HiddenBinders()
    host.check_output(["ip", "link", "set", "lo", "down"])
    host.check_output(["ip", "address", "flush", "dev", "lo"])
    host.run(look, hidden, 0.0)

    assert "loopback" in hidden.why_not


def test_an_operator_may_forbid_it(host: Netns, keep: list[socket.socket]) -> None:
    host.run(connect, keep, host.run(listen, keep, 9001), 50, local="127.0.0.1")
    hidden = HiddenBinders(at_once=True, may_probe=False)
    host.run(look, hidden, 0.0, hot=True)

    assert hidden.buckets.known == {}
