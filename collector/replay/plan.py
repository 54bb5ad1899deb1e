"""What is to be judged again, and stretch by stretch the finest tier that has it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.alerts.conditions import CLOCK, CONTESTED, HALTED, UNDELIVERED, Condition
from collector.alerts.rules import Rule
from collector.alerts.where import Where
from collector.history.tiers import HOUR_MS, MINUTE_MS, TIERS, Reach, Tier
from shared.settings import InvalidValue

RUN_IN_MS = 15 * MINUTE_MS
"""Judged before the window begins, so that what stands at its beginning is known; and the longest hold besides."""
MOST_HOST_HOURS = 100_000
MOST_INSTANTS = 150_000
"""Of all hosts in one slice: they are in memory together, at fifty pools a host some 2.5 kB each."""
EVERY_MS = 10_000
"""What is reckoned from one raw report of a host to its next."""
TICK_MS = 1_000
UNTOLD: Mapping[Condition, str] = {
    CONTESTED: "history does not keep which machine or agent a report came from",
    CLOCK: "history does not keep how far a host's clock was off",
    UNDELIVERED: "history does not keep when a channel took its notices",
    HALTED: "history does not keep how rollouts went",
}
"""What history does not tell of, and why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Judge these rules over [from_ms, to_ms), of the hosts that `where` means, and tell of the pools that it means."""

    rules: tuple[Rule, ...]
    from_ms: int
    to_ms: int
    where: Where = field(default_factory=Where)

    def __post_init__(self) -> None:
        if self.to_ms <= self.from_ms:
            raise InvalidValue("to_ms", "must be after from_ms, and not to come")
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidValue("rules", f"two are named {twice[0]!r}")

    @property
    def judged(self) -> tuple[Rule, ...]:
        """The rules of which history knows enough."""
        return tuple(rule for rule in self.rules if rule.measure not in UNTOLD)

    @property
    def left_out(self) -> Mapping[str, str]:
        """The names of the others, each with why it cannot be judged."""
        return {rule.name: UNTOLD[rule.measure] for rule in self.rules if rule.measure in UNTOLD}


@dataclass(frozen=True, slots=True)
class Slice:
    """[from_ms, to_ms) within the time of one chunk of the tier; of very many hosts a part of it at a time."""

    tier: Tier
    from_ms: int
    to_ms: int

    @property
    def moments(self) -> Sequence[int]:
        """When time is looked at: each second, or as fine as the tier is; always at its end."""
        step_ms = max(TICK_MS, self.tier.step_ms)
        within = range(self.from_ms // step_ms * step_ms + step_ms, self.to_ms, step_ms)
        return [*within, self.to_ms]

    @property
    def pieces(self) -> Sequence["Slice"]:
        """The same in tenths, or in steps of the tier: whoever waits hears how far it is."""
        step_ms = max(TICK_MS, self.tier.step_ms)
        piece_ms = -(-(self.to_ms - self.from_ms) // (10 * step_ms)) * step_ms
        starts = range(self.from_ms // step_ms * step_ms, self.to_ms, piece_ms)
        return [
            Slice(self.tier, max(self.from_ms, start_ms), min(self.to_ms, start_ms + piece_ms)) for start_ms in starts
        ]


def slices_of(asked: Asked, hosts: int, reach: Reach) -> list[Slice]:
    """In order of time; one ends where the window begins. Raises InvalidValue where it is too much, or too old."""
    oldest = TIERS[-1]
    if not reach.holds(oldest, asked.from_ms):
        days = reach.keep.of(oldest) // (24 * HOUR_MS)
        raise InvalidValue("from_ms", f"history goes back {days:,} days")
    hours = hosts * (asked.to_ms - asked.from_ms) / HOUR_MS
    if hours > MOST_HOST_HOURS:
        what = f"that is {hours:,.0f} hours of hosts, and at most {MOST_HOST_HOURS:,} are judged at a time"
        raise InvalidValue("from_ms", f"{what}: a shorter window, or fewer hosts")
    longest_hold_ms = max([rule.hold_ms for rule in asked.judged], default=0)
    made, at_ms = list[Slice](), max(0, asked.from_ms - RUN_IN_MS - min(longest_hold_ms, 24 * HOUR_MS))
    while at_ms < asked.to_ms:
        tier = next((one for one in TIERS if reach.holds(one, one.start_of(at_ms))), oldest)
        part_ms = _part_ms(tier, hosts)
        end_ms = min(tier.start_of(at_ms) + tier.span_ms, at_ms - at_ms % part_ms + part_ms)
        end_ms = min([end_ms, asked.to_ms, *([asked.from_ms] if at_ms < asked.from_ms else [])])
        made.append(Slice(tier, at_ms, end_ms))
        at_ms = end_ms
    return made


def _part_ms(tier: Tier, hosts: int) -> int:
    """How much of a chunk's time is read at once: all, unless that is more than there should be in memory."""
    step_ms = tier.step_ms or EVERY_MS
    steps = min(tier.span_ms // step_ms, max(1, MOST_INSTANTS // max(1, hosts)))
    return steps * step_ms
