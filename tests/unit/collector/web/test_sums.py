"""Sums to follow at 3 a.m."""

from dataclasses import replace

import pytest

from collector.web.sums import KNEE, RECYCLABLE, explain_command, namespace_lines, pool_lines
from shared.model import Kind, Pool
from shared.tcp import State
from tests.builders import a_namespace, a_pool, a_reading


def test_the_lines_add_up_from_the_range_to_what_is_left() -> None:
    reading = a_reading(255, states={State.ESTABLISHED: 200, State.TIME_WAIT: 55})
    lines = [(line.term or line.detail, line.number) for line in pool_lines(a_namespace(), reading)]
    assert lines == [
        ("range", "300"),
        ("reserved", "− 0"),
        ("blocked", "− 0"),
        ("capacity", "300"),
        ("held", "255"),
        ("ESTABLISHED", "− 200"),
        ("TIME_WAIT", "− 55"),
        ("headroom", "45"),
    ]


def test_a_capacity_that_the_range_does_not_explain_stands_alone() -> None:
    assert pool_lines(a_namespace(), a_reading(5, 99))[0].term == "capacity"
    assert pool_lines(None, a_reading())[0].term == "capacity"


def test_a_span_is_told_as_one_and_the_knee_too() -> None:
    reading = replace(a_reading(255), headroom_min=40, knee=True)
    [headroom, knee] = pool_lines(a_namespace(), reading)[-2:]
    assert (headroom.number, knee.remark) == ("40–45", KNEE)


def test_what_connect_may_take_over_is_told_as_explain_tells_it() -> None:
    lines = pool_lines(a_namespace(), replace(a_reading(255), recyclable=812))
    assert [(line.number, line.remark) for line in lines if line.term == "recyclable"] == [("812", RECYCLABLE)]
    assert not [line for line in pool_lines(a_namespace(), a_reading(255)) if line.term == "recyclable"]


def test_ports_without_a_connection_are_named() -> None:
    lines = pool_lines(a_namespace(), a_reading(20, states={State.ESTABLISHED: 15}))
    assert ("bound, without a connection", "− 5") in [(line.detail, line.number) for line in lines]


def test_what_a_namespace_lends() -> None:
    assert namespace_lines(a_namespace(reserved=16))[-1].number == "284"


@pytest.mark.parametrize(
    ("pool", "command"),
    [
        (a_pool(), "--local 127.0.0.1 --peer 127.0.0.1:9001"),
        (a_pool(netns="web 1; reboot"), "--local 127.0.0.1 --peer 127.0.0.1:9001 --netns 'web 1; reboot'"),
        (a_pool(local="fd00::1", peer="fd00::2"), "--local fd00::1 --peer '[fd00::2]:9001'"),
        (a_pool(kind=Kind.BIND), "--local 127.0.0.1 --peer IP:PORT --bind-first"),
        (a_pool(kind=Kind.UDP), "--local 127.0.0.1 --peer IP:PORT --protocol udp"),
    ],
)
def test_the_command_asks_for_this_pool_and_is_safe_in_a_shell(pool: Pool, command: str) -> None:
    assert explain_command(pool) == f"portgauge-agent explain {command}"
