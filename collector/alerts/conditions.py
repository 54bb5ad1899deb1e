"""What a rule can measure: each condition, of which subjects, in which unit, and which way is worse. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What an alert is about."""

    POOL = "pool"
    HOST = "host"
    PEER = "peer"
    """One backend address and port, over all hosts that connect to it."""
    ROLE = "role"
    FLEET = "fleet"
    CHANNEL = "channel"
    """A way to reach people, of this collector's own."""
    ROLLOUT = "rollout"
    """A revision of the fleet's configuration on its way to hosts."""


class Unit(StrEnum):
    """What a condition's levels count."""

    SHARE = "share"
    """0.0 to 1.0."""
    PORTS = "ports"
    SECONDS = "seconds"
    COUNT = "count"
    FACT = "fact"
    """Holds or does not: there are no levels to choose."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`is_below`: small numbers are the bad ones. `needs_level`: it counts pools from an occupancy `level` on."""

    name: str
    scopes: tuple[Scope, ...]
    unit: Unit
    is_below: bool = False
    needs_level: bool = False


OCCUPANCY = Condition("occupancy", (Scope.POOL,), Unit.SHARE)
HEADROOM = Condition("headroom", (Scope.POOL,), Unit.PORTS, is_below=True)
SPENT_SOON = Condition("seconds-until-spent", (Scope.POOL,), Unit.SECONDS, is_below=True)
KNEE = Condition("knee", (Scope.POOL,), Unit.FACT)
FAILURES = Condition("failures", (Scope.POOL,), Unit.COUNT)
SILENT = Condition("silent", (Scope.HOST,), Unit.FACT)
BLIND = Condition("blind", (Scope.HOST,), Unit.FACT)
DRIFT = Condition("drift", (Scope.HOST,), Unit.FACT)
CONTESTED = Condition("contested", (Scope.HOST,), Unit.FACT)
CLOCK = Condition("clock-off", (Scope.HOST,), Unit.SECONDS)
PRESSED = Condition("pressed-by-hosts", (Scope.PEER,), Unit.COUNT, needs_level=True)
SHARE_ABOVE = Condition("share-above", (Scope.ROLE, Scope.FLEET), Unit.SHARE, needs_level=True)
UNDELIVERED = Condition("undelivered", (Scope.CHANNEL,), Unit.SECONDS)
HALTED = Condition("halted", (Scope.ROLLOUT,), Unit.FACT)

CONDITIONS = {
    one.name: one
    for one in (
        OCCUPANCY,
        HEADROOM,
        SPENT_SOON,
        KNEE,
        FAILURES,
        SILENT,
        BLIND,
        DRIFT,
        CONTESTED,
        CLOCK,
        PRESSED,
        SHARE_ABOVE,
        UNDELIVERED,
        HALTED,
    )
}
