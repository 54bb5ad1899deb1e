"""The fleet's configuration on one host: what of it is in force, on trial, or failed. Pure.

A revision is tried first. It becomes the last known good one when samples succeed under it; where they fail, or the
agent ends twice before they could succeed, the one before it is in force again.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.limits import MAX_FAILURE_CHARS

FAILURES = 3
"""So many failed samples after a revision came into force, and none that succeeded, undo it."""
SUCCESSES = 2
"""So many that succeeded prove it."""
STARTS = 2
"""An agent that is started so often while a revision is on trial has died of it, for all we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """What is remembered beside the spool."""

    revision: int = 0
    """In force: the one on trial, or else the last known good one."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    good: int = 0
    good_settings: Mapping[str, Any] = field(default_factory=dict)
    failed: int = 0
    why: str = ""
    starts: int = 0

    @property
    def is_on_trial(self) -> bool:
        """Whether what is in force has yet to be proved."""
        return self.revision != self.good

    def wants(self, told: int | None) -> bool:
        """Whether the revision that the collector speaks of is to be fetched."""
        return told is not None and told != self.revision and (told == 0 or told != self.failed)

    def trying(self, revision: int, settings: Mapping[str, Any]) -> "Steered":
        """With this revision in force, on trial."""
        return replace(self, revision=revision, settings=settings, failed=0, why="", starts=0)

    def proved(self) -> "Steered":
        """What is in force is good."""
        return replace(self, good=self.revision, good_settings=self.settings, starts=0)

    def undone(self, why: str) -> "Steered":
        """The last known good one is in force again."""
        back = replace(self, revision=self.good, settings=self.good_settings, starts=0)
        return back.refusing(self.revision, why)

    def refusing(self, revision: int, why: str) -> "Steered":
        """A revision that never came into force."""
        return replace(self, failed=revision, why=why)

    def given_up(self, why: str) -> "Steered":
        """Nothing of the fleet's is in force; what was last tried is what failed."""
        return Steered(failed=self.failed or self.revision, why=why)

    def started(self) -> "Steered":
        """After one more start of the agent."""
        if not self.is_on_trial:
            return self
        if self.starts + 1 >= STARTS:
            return self.undone("the agent ended before a sample proved it")
        return replace(self, starts=self.starts + 1)


UNSTEERED = Steered()


def judged(steered: Steered, succeeded: int, failed: int) -> Steered:
    """After so many samples succeeded and failed under the revision on trial."""
    if not steered.is_on_trial:
        return steered
    if succeeded >= SUCCESSES:
        return steered.proved()
    if succeeded == 0 and failed >= FAILURES:
        return steered.undone(f"{failed} samples failed after it was applied")
    return steered


def as_text(steered: Steered) -> str:
    """For the disk."""
    return json.dumps(dataclasses.asdict(steered))


def from_text(text: str) -> Steered:
    """Back from the disk; nothing where it is damaged: the collector will tell it again."""
    try:
        given = json.loads(text)
        made = Steered(**given)
        numbers = (made.revision, made.good, made.failed, made.starts)
    except (ValueError, TypeError, RecursionError):
        return UNSTEERED
    tables = (made.settings, made.good_settings)
    is_sound = all(type(one) is int for one in numbers) and all(isinstance(one, dict) for one in tables)
    return made if is_sound and isinstance(made.why, str) else UNSTEERED


def in_words(why: str) -> str:
    """Fit for the wire."""
    return "".join(one if one.isprintable() else " " for one in why)[:MAX_FAILURE_CHARS]
