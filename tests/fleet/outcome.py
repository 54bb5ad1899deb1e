"""What came of each fault, and when: a table for people. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STAGES = ("detected", "named", "notified", "recovered")
"""Known to the collector; by its right name; told to Alertmanager; over, once the fault was."""


@dataclass(slots=True)
class Outcome:
    """One fault. `at_s`: seconds from the fault to each stage that was reached; `over_s`: to the end of the fault."""

    fault: str
    at_s: dict[str, float] = field(default_factory=dict)
    over_s: float | None = None
    named: str = ""
    missing: str = ""
    """What was waited for in vain."""

    @property
    def is_whole(self) -> bool:
        """Whether every stage was reached."""
        return all(stage in self.at_s for stage in STAGES)


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown, a fault a line."""
    head = ["fault", "detected", "named", "notified", "fault over", "recovered", "named as"]
    rows = [head, ["---", *["--:"] * 5, "---"], *(_row(one) for one in outcomes)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(one: Outcome) -> list[str]:
    detected, named, notified, recovered = (_seconds(one.at_s, stage) for stage in STAGES)
    over = "" if one.over_s is None else f"{one.over_s:.1f} s"
    return [one.fault, detected, named, notified, over, recovered, one.named or one.missing]


def _seconds(at_s: Mapping[str, float], stage: str) -> str:
    return f"{at_s[stage]:.1f} s" if stage in at_s else "**no**"
