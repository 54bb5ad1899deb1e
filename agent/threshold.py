"""Thresholds of a monitoring plugin: which shares of a pool alert, and how that is written beside counts. Pure.

Written as https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT has it: `LOW:HIGH` alerts outside of
both ends, `LOW:` below, `~:HIGH` above, `@LOW:HIGH` from one end to the other. One thing differs: a plain `0.85` alerts
from that share on, as the rules of a collector do, not only above it; that is `@0.85:`, and `0:0.85` is what others
mean by it.
"""

import math
import re
from dataclasses import dataclass

from shared.errors import PortgaugeError

_RANGE = re.compile(r"(?P<inside>@)?(?:(?P<low>~|\d*\.?\d+)?(?P<colon>:))?(?P<high>\d*\.?\d+)?\Z", re.ASCII)
_DUST = 9
"""Digits of a product that mean something: 0.55 × 100 is 55."""


class InvalidThreshold(PortgaugeError):
    """A text that is no threshold."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a share above 0 and up to 1, like 0.85, or a range of shares, like 0.2:0.85")


@dataclass(frozen=True, slots=True)
class Threshold:
    """Alerts on shares outside of [low, high]; inside, the ends with it, if `is_inside`. Ends may be infinite."""

    low: float
    high: float
    is_inside: bool = False

    def __str__(self) -> str:
        """As it is typed."""
        low = "~" if self.low == -math.inf else f"{self.low:g}"
        high = "" if self.high == math.inf else f"{self.high:g}"
        return f"{'@' if self.is_inside else ''}{low}:{high}"

    def alerts(self, share: float) -> bool:
        """Whether a held share of 0.0 to 1.0 alerts."""
        return (self.low <= share <= self.high) is self.is_inside

    def of_ports(self, capacity: int) -> str:
        """The same for held ports of a pool of this capacity, as performance data have it."""
        low, high = _rounded_up(self.low, capacity), _rounded_down(self.high, capacity)
        if self.is_inside and self.high == math.inf and isinstance(low, int) and low > 0:
            return str(low - 1)  # `above the last calm count` is the short way to say `from the next on`.
        first = "" if low == 0 and self.high != math.inf and not self.is_inside else f"{'~' if low is None else low}:"
        return f"{'@' if self.is_inside else ''}{first}{'' if high is None else high}"


def at_least(share: float) -> Threshold:
    """What a plain share means: from it on."""
    return Threshold(share, math.inf, is_inside=True)


def parse_threshold(text: str) -> Threshold:
    """Read a share or a range of shares. Raises InvalidThreshold."""
    found = _RANGE.match(text)
    if not found or not (found["low"] or found["high"]):
        raise InvalidThreshold(text)
    if not found["colon"] and not found["inside"]:
        share = float(found["high"])
        if not 0 < share <= 1:
            raise InvalidThreshold(text)
        return at_least(share)
    low = -math.inf if found["low"] == "~" else float(found["low"] or 0)
    high = math.inf if found["high"] is None else float(found["high"])
    if low > high or low > 1 or (high > 1 and high != math.inf):
        raise InvalidThreshold(text)
    return Threshold(low, high, is_inside=bool(found["inside"]))


def _rounded_up(share: float, capacity: int) -> int | None:
    return None if math.isinf(share) else math.ceil(round(share * capacity, _DUST))


def _rounded_down(share: float, capacity: int) -> int | None:
    return None if math.isinf(share) else math.floor(round(share * capacity, _DUST))
