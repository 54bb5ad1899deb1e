"""The age of what is known is told in seconds, and not before anything is known."""

from agent.tallies import Samplings


def test_before_the_first_sample_there_is_no_age() -> None:
    assert Samplings().age_s(100.0) is None


def test_the_age_is_that_of_the_latest_sample_that_succeeded() -> None:
    assert Samplings(last_at_s=97.5).age_s(100.0) == 2.5


def test_two_threads_clocks_do_not_make_an_age_negative() -> None:
    assert Samplings(last_at_s=100.1).age_s(100.0) == 0.0
