"""A rollout: one revision of the fleet's configuration, whom it is for, and who has been given it so far. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from collector.alerts.where import Place, Where
from shared.settings import InvalidValue
from shared.tuning import Tuning

MOST_STEPS = 16
MOST_CANARIES = 100


class State(StrEnum):
    """Where it stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """By a person. Whoever has it keeps it; nobody else is given it."""
    HALTED = "halted"
    """By itself, for the reason it says; as paused."""
    ABORTED = "aborted"
    """By a person: every host goes back to the revision before."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody asks for. `where` names hosts, never pools; empty: all."""

    author: str
    reason: str
    settings: Tuning
    where: Where = field(default_factory=Where)
    canaries: tuple[str, ...] = ()
    """Hosts that are given it first."""
    steps: tuple[int, ...] = (5, 25, 50, 100)
    """Percentages of the hosts it is for, one after another."""
    bake_s: float = 600.0
    """How long each step has to go well. CPU is judged over half a minute: a shorter bake judges none."""
    most_cpu_share: float = 0.05
    """Of one core, the agent as a whole; more, and it halts."""

    def __post_init__(self) -> None:
        ascends = all(low < high for low, high in zip((0, *self.steps), self.steps, strict=False))
        for key, holds, what in (
            ("author", bool(self.author.strip()), "say who asks"),
            ("reason", bool(self.reason.strip()), "say why, for whoever wonders at night"),
            ("where", not self.where.names_pools, "names hosts by host, role and labels only"),
            ("canaries", len(self.canaries) <= MOST_CANARIES, f"at most {MOST_CANARIES}"),
            (
                "steps",
                1 <= len(self.steps) <= MOST_STEPS and ascends,
                "percentages are needed that ascend, like 5,25,100",
            ),
            ("steps", self.steps[-1:] == (100,), "the last one is 100"),
            ("bake_s", 0 < self.bake_s <= 30 * 86_400, "seconds above 0 and up to 30 days"),
            ("most_cpu_share", 0 < self.most_cpu_share <= 1, "a share of one core, above 0 and up to 1"),
            (
                "settings.labels",
                not self.where.labels.keys() & self.settings.labels.keys(),
                "sets what `where` asks for",
            ),
        ):
            if not holds:
                raise InvalidValue(key, what)

    def document(self) -> dict[str, Any]:
        """As JSON has it; `shared.settings.build` reads it back."""
        told = asdict(self) | {"settings": self.settings.document()}
        told["where"] = {name: list(v) if isinstance(v, tuple) else v for name, v in told["where"].items()}
        return told | {name: list(told[name]) for name in ("canaries", "steps")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A plan under way. `id` is the number of the revision; `step` 0 is the canaries."""

    id: int
    plan: Plan
    created_ms: int
    state: State = State.RUNNING
    step: int = 0
    step_ms: int = 0
    why: str = ""
    baseline: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of hosts that are watched: how they were when they were given it."""

    @property
    def percent(self) -> int:
        """Of the hosts it is for, besides canaries."""
        return 100 if self.state is State.DONE else self.plan.steps[self.step - 1] if self.step else 0

    def is_for(self, place: Place) -> bool:
        """Whether this host is meant."""
        return self.plan.where.accepts_place(place)

    def has_reached(self, place: Place) -> bool:
        """Whether this host is to have it by now."""
        if self.state is State.ABORTED or not self.is_for(place):
            return False
        percent = self.percent
        return place.host in self.plan.canaries or percent == 100 or share(place.host, self.id) < percent  # noqa: PLR2004


def share(host: str, rollout: int) -> float:
    """Where in 0.0 to 100.0 this host stands: the same for good, another in each rollout, so that others go first."""
    digest = blake2b(f"{rollout} {host}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32 * 100


def revision_for(rollouts: Iterable[Rollout], place: Place) -> Rollout | None:
    """The newest that has reached the host; None: it goes by its own configuration."""
    return max((one for one in rollouts if one.has_reached(place)), key=lambda one: one.id, default=None)
