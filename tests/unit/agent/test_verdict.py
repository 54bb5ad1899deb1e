"""`check` speaks the language of monitoring plugins."""

import re
from dataclasses import replace

import pytest

from agent.threshold import at_least, parse_threshold
from agent.verdict import MOST_PERFDATA, Status, Thresholds, configuration, judge
from shared.model import Kind, Pool, Reading, Unreadable
from shared.tcp import State
from tests.builders import a_namespace

LOOP = bytes([127, 0, 0, 1])
PLAIN = Thresholds(warning=at_least(0.7), critical=at_least(0.85))


def a_reading(held: int, capacity: int = 300, port: int = 9001, doubt: int = 0, netns: str = "host") -> Reading:
    left = capacity - held
    pool = Pool(netns, Kind.CONNECT, LOOP, LOOP, port)
    return Reading(pool, held, capacity, max(0, left - doubt), left, {State.ESTABLISHED: held})


def judged(*readings: Reading, unreadable: tuple[Unreadable, ...] = ()) -> tuple[Status, str]:
    verdict = judge(readings, PLAIN, own="host", unreadable=unreadable)
    return verdict.status, verdict.text


def test_the_first_line_names_the_worst_pool_with_its_sums() -> None:
    status, text = judged(a_reading(255), a_reading(100, port=9002))

    assert status is Status.CRITICAL
    assert text.startswith(
        "CRITICAL - 127.0.0.1 -> 127.0.0.1:9001 holds 255 of 300 ports (85 %), 45 left | '127.0.0.1->127.0.0.1:9001'="
    )


@pytest.mark.parametrize(
    ("held", "status"),
    [(209, Status.OK), (210, Status.WARNING), (254, Status.WARNING), (255, Status.CRITICAL), (300, Status.CRITICAL)],
)
def test_a_threshold_counts_from_its_very_port_on(held: int, status: Status) -> None:
    assert judged(a_reading(held))[0] is status


def test_a_host_without_connections_is_ok() -> None:
    assert judged() == (Status.OK, "OK - no outgoing connection uses a port of the range")


def test_a_pool_without_any_port_to_lend_is_critical() -> None:
    assert judged(a_reading(0, capacity=0))[0] is Status.CRITICAL


def test_what_the_kernel_hides_is_told_as_bounds() -> None:
    assert "40–45 left" in judged(a_reading(255, doubt=5))[1]


def test_whose_pool_it_is_follows_its_sums_and_cannot_pass_for_performance_data() -> None:
    _status, text = judged(replace(a_reading(255), owner="a|b.service, pid 7"))

    assert text.split(" | ")[0].endswith("(85 %), 45 left, held by a/b.service, pid 7")


def test_a_slow_pool_says_so_before_its_owner() -> None:
    _status, text = judged(replace(a_reading(255), knee=True, owner="haproxy.service"))

    assert text.split(" | ")[0].endswith("45 left, past the knee, held by haproxy.service")


def test_other_pools_in_trouble_are_counted_and_listed() -> None:
    text = judged(a_reading(260), a_reading(255, port=9002), a_reading(220, port=9003))[1]

    assert "and 1 more pools critical" in text
    assert [line.split(" - ")[0] for line in text.splitlines()] == ["CRITICAL", "CRITICAL", "WARNING"]


def test_performance_data_is_bounded_and_well_formed() -> None:
    text = judged(*(a_reading(100 + number, port=9000 + number) for number in range(30)))[1]

    perfdata = text.splitlines()[0].split(" | ")[1]
    values = re.findall(r"'[^'=]+'=\d+;\d+;\d+;0;300", perfdata)
    assert len(values) == MOST_PERFDATA
    assert " ".join(values) == perfdata


def test_performance_thresholds_are_the_last_calm_counts() -> None:
    """Nagios alerts above a threshold; the pool warns at 210 and alarms at 255 of 300."""
    assert "=100;209;254;0;300" in judged(a_reading(100))[1]


def test_a_pool_of_another_namespace_is_named_with_it() -> None:
    text = judged(a_reading(255, netns="web=1"))[1]

    assert text.startswith("CRITICAL - web=1: 127.0.0.1 -> 127.0.0.1:9001 holds 255")
    assert " | 'web_1: 127.0.0.1->127.0.0.1:9001'=255;" in text


@pytest.mark.parametrize(
    ("readings", "status", "first"),
    [
        ((), Status.UNKNOWN, "UNKNOWN - no pool that could be read is near its limit, but 2 network namespaces could"),
        ((a_reading(10),), Status.UNKNOWN, "UNKNOWN - no pool that could be read is near its limit, but 2 network"),
        ((a_reading(220),), Status.WARNING, "WARNING - 127.0.0.1 -> 127.0.0.1:9001 holds 220"),
        ((a_reading(290),), Status.CRITICAL, "CRITICAL - 127.0.0.1 -> 127.0.0.1:9001 holds 290"),
    ],
)
def test_what_could_not_be_read_is_never_called_ok(readings: tuple[Reading, ...], status: Status, first: str) -> None:
    """What is known to be wrong comes first; calm that covers a part only is no calm."""
    told, text = judged(*readings, unreadable=(Unreadable(2, "needs CAP_SYS_ADMIN"),))

    assert told is status
    assert text.startswith(first)
    assert text.endswith("2 network namespaces could not be read: needs CAP_SYS_ADMIN (see: portgauge-agent doctor)")


def test_a_range_may_alert_on_a_pool_that_is_not_the_fullest() -> None:
    """A pool that should be busy and is not: the fullest is fine, and does not decide."""
    thresholds = Thresholds(warning=parse_threshold("0.2:"), critical=parse_threshold("0.05:0.9"))
    verdict = judge([a_reading(200), a_reading(9, port=9002)], thresholds, own="host")

    assert verdict.status is Status.CRITICAL
    assert verdict.text.startswith("CRITICAL - 127.0.0.1 -> 127.0.0.1:9002 holds 9 of 300")
    assert "'127.0.0.1->127.0.0.1:9002'=9;60:;15:270;0;300" in verdict.text


def test_the_more_often_it_is_asked_the_more_it_says_and_the_first_line_stays_one() -> None:
    readings = [a_reading(255), a_reading(10, port=9002)]
    said = [judge(readings, PLAIN, own="host", verbosity=verbosity).text for verbosity in range(3)]

    assert "45 left (ESTABLISHED 255) | " in said[1]
    assert "ESTABLISHED" not in said[0]
    assert [text.count("\n") for text in said] == [0, 0, 1]
    assert said[2].endswith("OK - 127.0.0.1 -> 127.0.0.1:9002 holds 10 of 300 ports (3.3 %), 290 left")


def test_what_was_judged_by_what_can_be_asked() -> None:
    namespace = replace(a_namespace(reserved=16), settings={"tcp_tw_reuse": 2, "ip_autobind_reuse": 0})
    assert configuration([namespace], PLAIN) == [
        "a pool warns at @0.7:, alarms at @0.85: of what it can lend",
        "namespace host: range 40000–40299 (300 ports), reserved 16, blocked 0, a pool can lend 284",
        "settings of namespace host:\n  ip_autobind_reuse = 0",
        "  tcp_tw_reuse = 2",
    ]
