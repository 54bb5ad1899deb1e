"""What of the fleet's configuration is in force, on trial, or failed."""

import pytest

from agent.steered import UNSTEERED, Steered, as_text, from_text, in_words, judged

TRIED = UNSTEERED.trying(3, {"interval_s": 5})


def test_a_revision_is_proved_by_samples_that_succeed() -> None:
    assert judged(TRIED, succeeded=1, failed=0) == TRIED
    good = judged(TRIED, succeeded=2, failed=0)
    assert (good.revision, good.good, good.is_on_trial) == (3, 3, False)


def test_one_under_which_samples_break_is_undone_and_said() -> None:
    good = judged(TRIED, succeeded=2, failed=0)
    worse = good.trying(4, {"interval_s": 1})
    assert judged(worse, succeeded=0, failed=2) == worse
    back = judged(worse, succeeded=0, failed=3)
    assert (back.revision, back.settings, back.failed) == (3, {"interval_s": 5}, 4)
    assert "3 samples failed" in back.why


def test_what_failed_is_not_fetched_again_until_another_is_spoken_of() -> None:
    back = judged(TRIED, succeeded=0, failed=3)
    assert [back.wants(told) for told in (None, 3, 4, 0)] == [False, False, True, False]


def test_no_revision_is_gone_back_to_though_nothing_ever_failed() -> None:
    """0 stands for no revision and for no failure alike."""
    assert judged(TRIED, succeeded=2, failed=0).wants(0)


def test_an_agent_that_ends_twice_on_trial_goes_back_by_itself() -> None:
    once = TRIED.started()
    assert once.revision == 3
    assert (once.started().revision, once.started().failed) == (0, 3)
    assert UNSTEERED.started() == UNSTEERED


def test_it_comes_back_from_the_disk_as_it_was() -> None:
    assert from_text(as_text(TRIED)) == TRIED


def test_where_not_even_the_good_one_fits_any_more_the_host_goes_by_its_own() -> None:
    good = judged(TRIED, succeeded=2, failed=0)
    assert good.given_up("labels") == Steered(failed=3, why="labels")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"revision": "x"}', '{"more": 1}', '{"settings": 1}', '{"why": 1}'])
def test_a_damaged_file_is_no_configuration(text: str) -> None:
    assert from_text(text) == UNSTEERED


def test_a_reason_is_made_fit_for_the_wire() -> None:
    assert in_words("a\nb") == "a b"
    assert Steered(why="").why == ""
