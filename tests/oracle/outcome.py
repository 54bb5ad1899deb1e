"""What became of a situation: the truth, what was told of it, and what that is worth. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.oracle.observer import Answer


class Verdict(StrEnum):
    """What an answer is worth beside the truth."""

    EXACT = "exact"
    WITHIN = "within bounds"
    WRONG = "WRONG"
    NO_ANSWER = "NO ANSWER"
    SKIPPED = "skipped"
    BROKEN = "BROKEN"
    """The situation could not be built as it says: no fault of the observer."""

    @property
    def is_failure(self) -> bool:
        """Whether somebody has to look into it."""
        return self in (Verdict.WRONG, Verdict.NO_ANSWER, Verdict.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One situation, the truth, and what was said of it."""

    name: str
    says: str
    truth: int | None = None
    told: Answer | None = None
    published: int | None = None
    """The answer of the published method."""
    note: str = ""
    """Why there is nothing to compare, or what the observer said in place of an answer."""
    settled: Verdict | None = None
    """The verdict where there is nothing to compare: SKIPPED or BROKEN."""

    @property
    def verdict(self) -> Verdict:
        """Bounds that do not contain the truth are wrong, even around the right number."""
        if self.settled:
            return self.settled
        if self.told is None or self.truth is None:
            return Verdict.NO_ANSWER
        if not self.told.low <= self.truth <= self.told.high:
            return Verdict.WRONG
        return Verdict.EXACT if self.told.headroom == self.truth else Verdict.WITHIN

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "situation": self.name,
            "verdict": self.verdict.value,
            "truth": self.truth,
            "headroom": self.told and self.told.headroom,
            "headroom_min": self.told and self.told.low,
            "headroom_max": self.told and self.told.high,
            "published": self.published,
            "note": self.note,
            "says": self.says,
        }


def outcome_of(plain: dict[str, Any]) -> Outcome:
    """What `plain` wrote."""
    bounds = [plain[key] for key in ("headroom", "headroom_min", "headroom_max")]
    verdict = Verdict(plain["verdict"])
    return Outcome(
        name=plain["situation"],
        says=plain["says"],
        truth=plain["truth"],
        told=None if None in bounds else Answer(*bounds),
        published=plain["published"],
        note=plain["note"],
        settled=verdict if verdict in (Verdict.SKIPPED, Verdict.BROKEN) else None,
    )


def line(outcome: Outcome) -> str:
    """For a terminal."""
    if outcome.settled:
        return f"{outcome.name:42} {outcome.verdict.value}: {outcome.note}"
    verdict = f"{outcome.verdict.value} {f'({outcome.note})' if outcome.note else ''}".rstrip()
    return f"{outcome.name:42} truth {outcome.truth:4}   told {told(outcome):18} {verdict}"


def told(outcome: Outcome) -> str:
    """The answer with its bounds where they leave a gap: `160`, `200 [160..200]`."""
    if outcome.told is None:
        return "-"
    headroom, low, high = outcome.told
    return str(headroom) if low == headroom == high else f"{headroom} [{low}..{high}]"


def judged(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those whose situation exists on this kernel."""
    return [one for one in outcomes if one.verdict is not Verdict.SKIPPED]


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many of each verdict."""
    counts = Counter(one.verdict for one in outcomes)
    return ", ".join(f"{verdict.value} {counts[verdict]}" for verdict in Verdict if counts[verdict])


def exact_percent(outcomes: Sequence[Outcome]) -> float:
    """The share of exact answers among those judged, 0.0 to 100.0."""
    counted = judged(outcomes)
    return 100 * sum(one.verdict is Verdict.EXACT for one in counted) / len(counted) if counted else 0.0
