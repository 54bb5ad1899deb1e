"""What a fleet may set on its agents from the collector, and the rules its values have to keep, on both sides. Pure.

Never the collector's address, a token, a path or a name: whoever may change these owns the host.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from shared.limits import MAX_INTERVAL_MS, MAX_LABELS, MAX_NAME_CHARS, MAX_POOLS
from shared.settings import InvalidValue
from shared.wire.v1 import LABEL

MOST_THRESHOLDS = 8


def are_labels(labels: Mapping[str, str]) -> bool:
    """Whether they may travel."""
    return len(labels) <= MAX_LABELS and all(
        LABEL.match(name) and len(name) <= MAX_NAME_CHARS and len(value) <= MAX_NAME_CHARS and value.isprintable()
        for name, value in labels.items()
    )


def _ascend(thresholds: tuple[float, ...]) -> bool:
    steps = pairwise((0.0, *thresholds, 1.0 + 1e-9))
    return 1 <= len(thresholds) <= MOST_THRESHOLDS and all(below < above for below, above in steps)


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "interval_s": (lambda value: 0 < value * 1000 <= MAX_INTERVAL_MS, "need seconds above 0 and up to a day"),
    "cpu_share": (lambda value: 0 < value <= 1, "need a share of one core, above 0 and up to 1"),
    "thresholds": (_ascend, f"need 1 to {MOST_THRESHOLDS} occupancies, above 0.0 and up to 1.0, ascending"),
    "most_pools": (lambda value: 1 <= value <= MAX_POOLS, f"need 1 to {MAX_POOLS}"),
}
"""By key: whether a value can work, and what is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The keys that a revision of the fleet's configuration sets; None: left as each host has it."""

    interval_s: float | None = None
    cpu_share: float | None = None
    thresholds: tuple[float, ...] | None = None
    most_pools: int | None = None
    probe: bool | None = None
    labels: dict[str, str] = field(default_factory=dict)
    """Laid under the host's own."""

    def __post_init__(self) -> None:
        for key, (holds, what) in RULES.items():
            value = getattr(self, key)
            if value is not None and not holds(value):
                raise InvalidValue(key, what)
        if not are_labels(self.labels):
            raise InvalidValue("labels", f"need at most {MAX_LABELS} names of letters, digits and _")
        if "role" in self.labels:
            raise InvalidValue("labels.role", "a role says which revisions a host is given; no revision may change it")

    def values(self) -> dict[str, Any]:
        """The keys that are set, labels apart."""
        names = [one.name for one in fields(self) if one.name != "labels"]
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def document(self) -> dict[str, Any]:
        """As JSON has it; `shared.settings.build` reads it back."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in self.values().items()}
        return plain | ({"labels": dict(self.labels)} if self.labels else {})
