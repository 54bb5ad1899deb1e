"""What came before a pool was half full."""

from array import array

import pytest

from collector.alerts.observe import Filling
from collector.forecast import early
from collector.forecast.early import KEPT, Early
from tests.builders import a_pool

A, B = a_pool(9001), a_pool(9002)


def report(*held: int) -> Filling:
    """Of pools A and B, 300 ports each."""
    return Filling((A, B)[: len(held)], array("H", held).tobytes(), array("H", [300] * len(held)).tobytes())


def test_of_a_report_a_pool_has_its_own_number_where_it_is_a_quarter_full() -> None:
    assert (report(75, 299).held_by(A), report(75, 299).held_by(B)) == (75, 299)
    assert (report(74, 299).held_by(A), report(75).held_by(B)) == (None, None)


def test_readings_and_reports_of_a_pool_are_told_in_their_order_and_so_many() -> None:
    seen = Early()
    for second in range(0, 20, 2):
        seen.add_report("lb1", second, report(80 + second, 20))
        seen.add(("lb1", A), second + 1, 81 + second)
    assert seen.take(("lb1", A)) == [(second, 80 + second) for second in range(20 - KEPT, 20)]
    assert seen.take(("lb1", B)) == seen.take(("lb2", A)) == []


def test_a_list_of_pools_may_change_between_reports() -> None:
    seen = Early()
    seen.add_report("lb1", 0, report(80, 90))
    seen.add_report("lb1", 1, Filling((B, A), *report(100, 110)[1:]))
    seen.add_report("lb1", 2, report(120))
    assert seen.take(("lb1", B)) == [(0, 90), (1, 100)]


def test_past_its_bound_the_hosts_silent_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "MOST_BYTES", 3 * early._size_of(report(80, 80)))
    seen = Early()
    for second, host in enumerate(("lb1", "lb2", "lb1", "lb3")):
        seen.add_report(host, second, report(80, 80))
    assert [len(seen.take((host, A))) for host in ("lb1", "lb2", "lb3")] == [2, 0, 1]


def test_what_went_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a host reports, it takes what its last reports take."""
    monkeypatch.setattr(early, "MOST_BYTES", (KEPT + 2) * early._size_of(report(80, 80)))
    seen = Early()
    seen.add_report("lb2", 0, report(80, 80))
    for second in range(100):
        seen.add_report("lb1", second, report(80, 80))
    assert [len(seen.take((host, A))) for host in ("lb1", "lb2")] == [KEPT, 1]
