"""What a run prints."""

from tests.fleet.outcome import STAGES, Outcome, table


def test_a_fault_is_whole_when_every_stage_was_reached() -> None:
    assert Outcome("f", at_s=dict.fromkeys(STAGES, 1.0)).is_whole
    assert not any(Outcome("f", at_s={one: 1.0 for one in STAGES if one != left}).is_whole for left in STAGES)


def test_what_was_not_reached_is_a_no_with_what_was_waited_for() -> None:
    outcome = Outcome("a host leaks", at_s={"detected": 1.25}, over_s=180.0, missing="waited in vain")

    assert table([outcome]).splitlines()[-1] == (
        "| a host leaks | 1.2 s | **no** | **no** | 180.0 s | **no** | waited in vain |"
    )
