"""Every situation, on the kernel that runs this: portgauge never misleads, and is nearly always right to the port."""

import functools

import pytest

from tests.oracle.catalogue import Situation, everything
from tests.oracle.judge import judge
from tests.oracle.observer import in_process
from tests.oracle.outcome import Outcome, Verdict, exact_percent, line

LEAST_EXACT_PERCENT = 90
SITUATIONS = everything()


@functools.cache
def outcome_of(situation: Situation) -> Outcome:
    """Each situation is tried once, however many tests ask."""
    return judge(situation, in_process)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_the_answer_holds(situation: Situation, namespaces: None) -> None:
    del namespaces

    outcome = outcome_of(situation)

    if outcome.verdict is Verdict.SKIPPED:
        pytest.skip(outcome.note)
    assert not outcome.verdict.is_failure, f"{situation.says}\n{line(outcome)}"


@pytest.mark.timeout(300)
def test_nine_of_ten_answers_are_exact(namespaces: None) -> None:
    del namespaces

    outcomes = [outcome_of(one) for one in SITUATIONS]

    assert exact_percent(outcomes) >= LEAST_EXACT_PERCENT, "\n".join(map(line, outcomes))
