"""The tables of docs/accuracy.md."""

from tests.oracle.observer import Answer
from tests.oracle.outcome import Outcome, Verdict
from tests.oracle.table import report, table, totals


def an_outcome(name: str, truth: int = 160, *bounds: int, settled: Verdict | None = None) -> Outcome:
    told = Answer(*bounds) if bounds else None
    return Outcome(name=name, says="Says so", truth=truth, told=told, published=199, settled=settled, note="no VRF")


def test_totals_have_both_methods_and_what_they_promised_in_vain() -> None:
    outcomes = [an_outcome("a", 160, 160, 160, 160), an_outcome("b", 180, 185, 170, 190)]

    assert totals({"6.18": outcomes}).splitlines()[2:] == [
        "| 6.18 | portgauge | 2 | 1 | 1 | 0 | 5 |",
        "|  | the published method | 2 | 0 | 0 | 2 | 39 |",
    ]


def test_a_situation_is_a_row_and_what_was_skipped_comes_last() -> None:
    outcomes = [an_outcome("s", settled=Verdict.SKIPPED), an_outcome("a", 160, 200, 160, 200)]

    assert table(outcomes).splitlines()[2:] == [
        "| `a` Says so | 160 | 200 [160..200] | 199 | within bounds |",
        "| `s` Says so |  |  |  | skipped: no VRF |",
    ]


def test_of_other_kernels_only_what_differs_is_shown() -> None:
    same, there = an_outcome("same", 160, 160, 160, 160), an_outcome("other", 150, 150, 150, 150)

    _, _, after = report({"6.18": [same, an_outcome("other", 1, 1, 1, 1)], "6.1": [same, there]}).partition("6.1\n")

    assert "`other`" in after
    assert "`same`" not in after
