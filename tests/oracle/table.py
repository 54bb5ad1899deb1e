"""docs/accuracy.md: what connect() did, what portgauge had told, and what the published method had."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.document import write_section
from benchmarks.fabricate import REPOSITORY
from tests.oracle.outcome import Outcome, Verdict, judged, told

DOCUMENT = REPOSITORY / "docs" / "accuracy.md"
SECTION = "accuracy"
COLUMNS = ("situation", "truth", "portgauge", "published", "")


def write(results: Mapping[str, Sequence[Outcome]]) -> None:
    """Put the tables between their markers."""
    write_section(SECTION, report(results), DOCUMENT)


def report(results: Mapping[str, Sequence[Outcome]]) -> str:
    """All of it as markdown, by kernel release; the first one's situations in full, of others what differs. Pure."""
    (first, outcomes), *others = results.items()
    parts = [totals(results), f"### Linux {first}\n\n{table(outcomes)}"]
    known = {one.name: one for one in outcomes}
    for release, theirs in others:
        different = [one for one in theirs if _facts(one) != _facts(known.get(one.name))]
        rest = f"Of {len(theirs)} situations those that end differently there, or exist only there."
        parts.append(f"### Linux {release}\n\n{rest}\n\n{table(different)}")
    return "\n\n".join(parts)


def totals(results: Mapping[str, Sequence[Outcome]]) -> str:
    """A line a kernel for portgauge, one for the published method."""
    head = ["kernel", "answers of", "situations", "exact", "within bounds", "wrong", "ports too many, at worst"]
    return _markdown(head, [row for release, outcomes in results.items() for row in _both(release, outcomes)])


def table(outcomes: Sequence[Outcome]) -> str:
    """A situation a line, those that do not exist on this kernel last, with the reason."""
    ordered = sorted(outcomes, key=lambda one: one.verdict is Verdict.SKIPPED)
    return _markdown(COLUMNS, [_row(one) for one in ordered])


def _both(release: str, outcomes: Sequence[Outcome]) -> list[list[str]]:
    counted = judged(outcomes)
    ours = Counter(one.verdict for one in counted)
    hits = sum(one.published == one.truth for one in counted)
    too_many = _most_too_many((one.told and one.told.headroom, one.truth) for one in counted)
    theirs_too_many = _most_too_many((one.published, one.truth) for one in counted)
    return [
        [release, "portgauge", *_cells(len(counted), ours[Verdict.EXACT], ours[Verdict.WITHIN], too_many)],
        ["", "the published method", *_cells(len(counted), hits, 0, theirs_too_many)],
    ]


def _cells(situations: int, exact: int, within: int, too_many: int) -> list[str]:
    return [str(count) for count in (situations, exact, within, situations - exact - within, too_many)]


def _most_too_many(pairs: Iterable[tuple[int | None, int | None]]) -> int:
    """By how many ports an answer exceeded the truth, at worst."""
    return max([0, *(said - truth for said, truth in pairs if said is not None and truth is not None)])


def _row(one: Outcome) -> list[str]:
    name = f"`{one.name}` {one.says}"
    if one.settled:
        return [name, "", "", "", f"{one.verdict}: {one.note}"]
    return [name, str(one.truth), told(one), str(one.published), str(one.verdict)]


def _facts(one: Outcome | None) -> tuple[object, ...]:
    return (one.truth, one.told, one.verdict) if one else ()


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
