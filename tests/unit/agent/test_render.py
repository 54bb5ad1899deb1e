"""What a person reads."""

from dataclasses import replace

import pytest

from agent.accounting.derivation import Derivation, Doubt
from agent.accounting.question import Question
from agent.render import advice_text, bar, derivation_text, headroom_text, percent, pools_table, unreadable_text
from agent.tally import Summary
from shared.advice import Option
from shared.model import Unreadable
from shared.ports import PortRange
from shared.tcp import State
from tests.builders import a_namespace, a_pool, a_reading

LOOP = bytes([127, 0, 0, 1])


@pytest.mark.parametrize(
    ("share", "drawn"), [(0.0, "····"), (0.5, "██··"), (1.0, "████"), (0.55, "██▎·"), (1.5, "████"), (-1.0, "····")]
)
def test_a_bar_shows_the_share(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_a_pool_with_a_port_left_is_never_shown_as_full() -> None:
    assert percent(28_231 / 28_232) == "99.9 %"
    assert percent(1.0) == "100.0 %"
    assert percent(0.869) == "86.9 %"


def test_bounds_are_shown_only_where_there_are_two() -> None:
    assert (headroom_text(45, 45), headroom_text(40, 45)) == ("45", "40–45")


def test_a_namespace_without_connections_says_so() -> None:
    assert "no outgoing connection" in pools_table([Summary(a_namespace(), ())], 10)


def test_failures_and_owners_have_a_column_where_there_are_any() -> None:
    calm = a_reading(7, pool=a_pool(80))
    troubled = replace(a_reading(300), failures=412, owner="haproxy.service, pid 1312")

    _head, titles, first, second = pools_table([Summary(a_namespace(), (troubled, calm))], 10).splitlines()

    assert titles.split()[-4:] == ["LEFT", "FAILED", "STATES", "OWNER"]
    assert first.endswith("0     412  ESTABLISHED 300  haproxy.service, pid 1312")
    assert second.endswith("ESTABLISHED 7")
    assert "OWNER" not in pools_table([Summary(a_namespace(), (calm,))], 10)


def test_our_own_namespace_is_first_then_the_hottest_and_the_calm_ones_share_a_line() -> None:
    def summary(name: str, *helds: int) -> Summary:
        return Summary(a_namespace(name), tuple(a_reading(held, pool=a_pool(netns=name)) for held in helds))

    text = pools_table([summary("host"), summary("a", 7), summary("b"), summary("c", 200), summary("d")], 10)

    heads = [line.split(":")[0] for line in text.splitlines() if line.startswith("namespace ")]
    assert heads == ["namespace host", "namespace c", "namespace a"]
    assert text.endswith("2 more without an outgoing connection on a port of the range: b, d")


def test_of_many_calm_namespaces_some_are_named() -> None:
    calm = [Summary(a_namespace(f"pod-{number}"), ()) for number in range(1_000)]

    assert pools_table(calm, 10).endswith("pod-10 and 989 more")


@pytest.mark.parametrize(
    ("namespaces", "text"),
    [
        (0, "some network namespaces could not be read: why (see: portgauge-agent doctor)"),
        (1, "1 network namespace could not be read: why (see: portgauge-agent doctor)"),
        (2, "2 network namespaces could not be read: why (see: portgauge-agent doctor)"),
    ],
)
def test_what_could_not_be_read_is_said(namespaces: int, text: str) -> None:
    unreadable = Unreadable(namespaces, "why")

    assert unreadable_text(unreadable) == text
    assert pools_table([Summary(a_namespace(), ())], 10, [unreadable]).endswith(text)


def test_columns_line_up() -> None:
    readings = (a_reading(255), a_reading(7, pool=a_pool(80, local="10.0.0.1", peer="10.0.0.200")))

    _head, titles, *rows = pools_table([Summary(a_namespace(), readings)], 10).splitlines()

    at = titles.index("OCCUPANCY")
    assert all(row[at] in "█▏▎▍▌▋▊▉·" and row[at - 1] == " " for row in rows)


def explained(*, owner: str = "", **changes: object) -> str:
    terms = {
        "question": Question(local=LOOP, peer=LOOP, peer_port=9001),
        "port_range": PortRange(32_768, 60_999),
        "reserved": frozenset(range(40_000, 40_016)),
        "blocked": {50_051: "listening", 50_052: "bound, not connected"},
        "states": {State.ESTABLISHED: 22_104, State.TIME_WAIT: 2_391},
        "free_even_offset": 12,
        **changes,
    }
    return derivation_text(Derivation(**terms), "host", owner=owner)  # type: ignore[arg-type] # Derivation's own fields


def test_the_derivation_shows_each_term_with_its_reason() -> None:
    lines = [" ".join(line.split()) for line in explained().splitlines()]

    assert "range 32768–60999 28,232" in lines
    assert "reserved 40000-40015 − 16 net.ipv4.ip_local_reserved_ports" in lines
    assert "blocked 50052 − 1 bound, not connected" in lines
    assert "50051 − 1 listening" in lines
    assert "capacity 28,214" in lines
    assert "held ESTABLISHED − 22,104" in lines
    assert "TIME_WAIT − 2,391" in lines
    assert "headroom 3,719 exact" in lines


def test_the_derivation_says_first_of_all_whose_pool_it_is() -> None:
    assert explained().splitlines()[0] == "127.0.0.1 → 127.0.0.1:9001  (tcp, namespace host)"
    assert explained(owner="haproxy.service, pid 1312").splitlines()[0].endswith("host, haproxy.service, pid 1312)")


def test_a_gap_is_given_with_its_reason() -> None:
    text = explained(doubts=(Doubt(40, "TIME_WAIT that may"),), hopes=(Doubt(2, "perhaps released"),))

    assert "between 3,679 and 3,721" in text
    assert "at least 3,679: 40 TIME_WAIT that may" in text
    assert "at most 3,721: 2 perhaps released" in text


def test_the_knee_and_recyclable_time_waits_are_told() -> None:
    assert "100 × longer" in explained(free_even_offset=0)
    assert "100 × longer" not in explained(free_even_offset=1)
    assert "812 further TIME_WAIT" in explained(time_wait_reusable=812)


def test_the_knee_is_told_only_where_connect_searches_in_that_order() -> None:
    question = Question(local=LOOP, peer=LOOP, peer_port=9001, own_range=PortRange(40_000, 40_009))

    assert "knee" not in explained(free_even_offset=0, question=question)


def test_a_pool_past_the_knee_is_marked_beside_its_states() -> None:
    readings = [replace(a_reading(200), knee=True), replace(a_reading(100, pool=a_pool(9002)), knee=False)]

    text = pools_table([Summary(a_namespace(), tuple(readings))], 10)

    assert [line.endswith("past the knee") for line in text.splitlines()[2:]] == [True, False]


def test_long_lists_of_ports_are_cut_at_a_comma() -> None:
    text = explained(reserved=frozenset(range(40_000, 40_400, 2)))

    assert ", …" in text
    assert max(map(len, text.splitlines())) < 160


def test_advice_begins_with_the_pool_its_sums_and_its_owner() -> None:
    reading = replace(a_reading(255), owner="haproxy.service, pid 1312")

    text = advice_text([(reading, [Option("one more backend", 300, ("its address",))])], 0.5, 2)

    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "127.0.0.1 → 127.0.0.1:9001 holds 255 of 300 ports, 45 left, held by haproxy.service, pid 1312",
        "1. one more backend + 300",
        "its address",
        "",
        "and 2 more pools near their limit",
    ]
