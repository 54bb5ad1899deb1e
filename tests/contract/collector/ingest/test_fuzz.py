"""Nothing that anybody sends is the collector's fault: `make fuzz` sends a hundred thousand."""

from tests.collecting import Collecting
from tests.fuzz import fuzzed

CASES = 1_500


async def test_damaged_bodies_and_absurd_questions_are_refused_and_never_a_fault(collector: Collecting) -> None:
    told = await fuzzed(collector, CASES, seed=7)
    assert told.wrong == []
    assert sum(told.statuses.values()) == CASES
    assert told.statuses[202] > 10
