"""Whoever asks is answered by the rules of their kind."""

from dataclasses import replace

from agent.accounting.account import derive, worth_probing
from agent.accounting.connect import Table
from agent.accounting.question import Protocol, Question
from shared.addresses import parse_ip
from shared.ports import PortRange, PortSettings
from tests.kernel_bytes import a_socket

CONNECT = Question(local=parse_ip("10.0.0.1"), peer=parse_ip("10.0.0.9"), peer_port=80)
BINDER = replace(CONNECT, bind_first=True)
UDP = replace(CONNECT, protocol=Protocol.UDP)
SETTINGS = PortSettings(PortRange(40_000, 40_199))
ELSEWHERE = Table(sockets=[a_socket(local_port=40_000 + n, cookie=n) for n in range(10)])


def test_sockets_to_another_destination_cost_binders_and_udp_but_not_connect() -> None:
    assert derive(CONNECT, SETTINGS, ELSEWHERE).held == 0
    assert derive(BINDER, SETTINGS, ELSEWHERE).held == 10
    assert derive(UDP, SETTINGS, ELSEWHERE).held == 10


def test_only_connect_has_anything_to_probe() -> None:
    assert worth_probing(CONNECT, SETTINGS, ELSEWHERE) == set(range(40_000, 40_010))
    assert worth_probing(BINDER, SETTINGS, ELSEWHERE) == worth_probing(UDP, SETTINGS, ELSEWHERE) == set()
