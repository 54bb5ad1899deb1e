"""Rules as data: what is worth a person's time, and how urgently. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.alerts.conditions import CONDITIONS, Condition, Scope, Unit
from collector.alerts.where import Where
from shared.settings import InvalidValue, nearest

PLAN, PAGE = SEVERITIES = ("plan", "page")
"""For a ticket, in working hours; for whoever is on call, now."""
MOST_NAME_CHARS = 64
_SCOPES = {scope.value: scope for scope in Scope}


class InvalidRule(InvalidValue):
    """A rule that could never work as written."""

    def __init__(self, name: str, key: str, what: str) -> None:
        super().__init__(key, f"rule {name!r}: {what}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires once `condition` of `subject` has been at `raise_at` or worse for `hold_s`.

    Resolves once it has been better than `clear_at` for `keep_s`. Levels are in the condition's unit; those of a fact
    are left out. `clear_at` is `raise_at` where nothing else is said.
    """

    name: str
    """Unique."""
    severity: str
    """`plan` (a ticket, in working hours) or `page` (whoever is on call, now)."""
    subject: str = Scope.POOL.value
    """What the alert is about: `pool`, `host`, `peer` (one backend over all hosts), `role`, `fleet`, `channel`,
    `rollout`."""
    condition: str = "occupancy"
    """What is measured of it, see below."""
    raise_at: float | None = None
    """From which value on it fires, in the condition's unit; left out where that is a fact, and only there."""
    clear_at: float | None = None
    """Better than which value it is over; `raise_at` where it is left out."""
    level: float | None = None
    """For conditions that count pools: the occupancy from which on a pool counts."""
    hold_s: float = 0.0
    """How many seconds it must be bad before it fires."""
    keep_s: float = 0.0
    """How many seconds it must be good before it resolves."""
    where: Where = field(default_factory=Where)
    """Which hosts and pools it watches, see below."""
    channels: tuple[str, ...] = ()
    """Names of the channels that are told."""

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > MOST_NAME_CHARS or not self.name.isprintable():
            raise InvalidRule(self.name[:MOST_NAME_CHARS], "name", "the name needs 1 to 64 printable characters")
        self._require_one_of("severity", self.severity, SEVERITIES)
        self._require_one_of("subject", self.subject, tuple(Scope))
        self._require_one_of("condition", self.condition, tuple(CONDITIONS))
        if self.scope not in self.measure.scopes:
            fitting = " or ".join(self.measure.scopes)
            self._refuse("subject", f"{self.condition} is of a {fitting}, not of a {self.subject}")
        self._check_levels()
        for key, seconds in (("hold_s", self.hold_s), ("keep_s", self.keep_s)):
            if not 0.0 <= seconds < float("inf"):
                self._refuse(key, f"{key} counts seconds, 0 or more")

    @property
    def measure(self) -> Condition:
        """The condition it measures."""
        return CONDITIONS[self.condition]

    @property
    def scope(self) -> Scope:
        """What its alerts are about."""
        return _SCOPES[self.subject]

    @property
    def hold_ms(self) -> int:
        """The hold time in milliseconds."""
        return round(self.hold_s * 1000)

    @property
    def keep_ms(self) -> int:
        """The keep time in milliseconds."""
        return round(self.keep_s * 1000)

    @property
    def levels(self) -> tuple[float, float]:
        """(raise, clear) turned so that more is worse: those of a condition that counts down are negated."""
        if self.raise_at is None:
            return 1.0, 1.0
        clear_at = self.raise_at if self.clear_at is None else self.clear_at
        return (-self.raise_at, -clear_at) if self.measure.is_below else (self.raise_at, clear_at)

    def _check_levels(self) -> None:
        if self.measure.unit is Unit.FACT:
            for key in ("raise_at", "clear_at"):
                if getattr(self, key) is not None:
                    self._refuse(key, f"{self.condition} holds or does not: leave {key} out")
        elif self.raise_at is None:
            self._refuse("raise_at", f"raise_at is required ({self.measure.unit})")
        else:
            self._check_order(self.raise_at)
        if self.measure.needs_level != (self.level is not None):
            what = "needs the occupancy from which on a pool counts" if self.measure.needs_level else "has no"
            self._refuse("level", f"{self.condition} {what} level")
        if self.level is not None and not 0.0 < self.level <= 1.0:
            self._refuse("level", "level is an occupancy: need 0 < level <= 1")

    def _check_order(self, raise_at: float) -> None:
        clear_at = raise_at if self.clear_at is None else self.clear_at
        if self.measure.unit is Unit.SHARE and not 0.0 < clear_at <= raise_at <= 1.0:
            self._refuse("raise_at", "need 0 < clear_at <= raise_at <= 1")
        if self.measure.is_below and not 0.0 <= raise_at <= clear_at < float("inf"):
            self._refuse("raise_at", "need 0 <= raise_at <= clear_at: few is bad here")
        if not self.measure.is_below and not 0.0 < clear_at <= raise_at < float("inf"):
            self._refuse("raise_at", "need 0 < clear_at <= raise_at")

    def _require_one_of(self, key: str, value: str, known: Iterable[str]) -> None:
        known = [str(one) for one in known]
        if value not in known:
            self._refuse(key, f"{key} is one of {', '.join(known)}, not {value!r}{nearest(value, known)}")

    def _refuse(self, key: str, what: str) -> None:
        raise InvalidRule(self.name, key, what)
