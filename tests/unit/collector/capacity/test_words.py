"""What is said of a plan, wherever it is shown. Its sentences: ../commands/test_planned.py, as a terminal has them."""

from collector.capacity.words import due_date, needs_words


def test_needs_are_told_the_cheapest_first_and_what_does_not_help_not_at_all() -> None:
    needs = {"backends": 6, "destinations": 3, "sources": None, "hosts": 1_200}
    assert needs_words({"needs": needs}) == "6 backends or 3 destinations or 1,200 hosts"
    assert needs_words({"needs": dict.fromkeys(needs)}) == ""


def test_a_day_that_nobody_can_tell_is_none() -> None:
    assert due_date(None) is None
    assert due_date({"at_ms": 1_795_348_800_000}) == "2026-11-22"
