"""`check` speaks the language of monitoring plugins."""

import re

import pytest

from agent.verdict import MOST_PERFDATA, Status, judge
from shared.model import Kind, Pool, Reading
from shared.tcp import State

LOOP = bytes([127, 0, 0, 1])


def a_reading(held: int, capacity: int = 300, port: int = 9001, doubt: int = 0) -> Reading:
    left = capacity - held
    pool = Pool("host", Kind.CONNECT, LOOP, LOOP, port)
    return Reading(pool, held, capacity, max(0, left - doubt), left, {State.ESTABLISHED: held})


def judged(*readings: Reading) -> tuple[Status, str]:
    verdict = judge(readings, warning=0.7, critical=0.85)
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
