"""Rules as data: when a pool is worth a person's time. Pure."""

from dataclasses import dataclass

from shared.errors import PortgaugeError

SEVERITIES = ("warning", "critical")


class InvalidRule(PortgaugeError):
    """A rule that could never work as written."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"rule {name!r}: {what}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Raise when a pool's occupancy (0.0 to 1.0) stays at or above `raise_at`; resolve once it is below `clear_at`."""

    name: str
    severity: str
    raise_at: float
    clear_at: float
    hold_s: float = 0.0
    """How long the heat must last before it is told."""

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 64 or not self.name.isprintable():  # noqa: PLR2004 - a name, not an essay
            raise InvalidRule(self.name[:64], "the name needs 1 to 64 printable characters")
        if self.severity not in SEVERITIES:
            raise InvalidRule(self.name, f"severity is one of {', '.join(SEVERITIES)}, not {self.severity!r}")
        if not 0.0 < self.clear_at <= self.raise_at <= 1.0:
            raise InvalidRule(self.name, "need 0 < clear_at <= raise_at <= 1")
        if not 0.0 <= self.hold_s < float("inf"):
            raise InvalidRule(self.name, "hold_s counts seconds, 0 or more")

    @property
    def hold_ms(self) -> int:
        """The hold time in milliseconds."""
        return round(self.hold_s * 1000)


BUILT_IN = (
    # Past half of its ports connect() already works harder; at 70 % there is time to plan. Bursts of a few seconds
    # are a proxy's daily life, so the heat has to last for three reports of the default interval.
    Rule(name="occupancy-warning", severity="warning", raise_at=0.70, clear_at=0.60, hold_s=30.0),
    # The rest can go within seconds when a backend stalls: waiting to be sure would spend the only time there is.
    Rule(name="occupancy-critical", severity="critical", raise_at=0.85, clear_at=0.75, hold_s=0.0),
)
