"""A stretch of time cut into steps. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import PortgaugeError

MAX_POINTS = 2_000
"""More than a wide screen has columns; a finer look takes a shorter window."""

Span = tuple[int, int]
"""[from, to) in ms."""


class InvalidWindow(PortgaugeError):
    """A stretch of time nobody can be shown. `parameter` names what to change."""

    def __init__(self, parameter: str, what: str) -> None:
        super().__init__(what)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Window:
    """[from_ms, to_ms) in steps of `step_ms`; the first step begins at or before from_ms, on a multiple of step_ms."""

    from_ms: int
    to_ms: int
    step_ms: int

    def __post_init__(self) -> None:
        if self.step_ms <= 0:
            raise InvalidWindow("step", "the step must be above 0 seconds")
        if self.to_ms <= self.from_ms:
            raise InvalidWindow("to", "must be after from")
        if len(self) > MAX_POINTS:
            raise InvalidWindow("step", f"asks for {len(self):,} points; at most {MAX_POINTS:,}: widen the step")

    def __len__(self) -> int:
        return -(-self.to_ms // self.step_ms) - self.from_ms // self.step_ms

    def index(self, at_ms: int) -> int:
        """Which step the time falls into."""
        return at_ms // self.step_ms - self.from_ms // self.step_ms

    def start_ms(self, index: int) -> int:
        """When that step begins."""
        return (self.from_ms // self.step_ms + index) * self.step_ms


def united(spans: Iterable[Span], within: Span) -> list[Span]:
    """What of these lies within the other, each instant once, in order of time."""
    made: list[Span] = []
    for from_ms, to_ms in sorted((max(from_ms, within[0]), min(to_ms, within[1])) for from_ms, to_ms in spans):
        if to_ms <= from_ms:
            continue
        if made and from_ms <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], to_ms))
        else:
            made.append((from_ms, to_ms))
    return made
