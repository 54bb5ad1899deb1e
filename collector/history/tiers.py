"""How fine history is, for how long, and how much of a host stands in one chunk. Pure."""

from dataclasses import dataclass

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Tier:
    """`step_ms` between instants (0: as they were taken); `span_ms` a chunk; storage drops `partition_ms` at a time."""

    number: int
    name: str
    step_ms: int
    span_ms: int
    partition_ms: int

    def start_of(self, at_ms: int) -> int:
        """When the chunk that holds this time begins."""
        return at_ms - at_ms % self.span_ms

    def starts(self, from_ms: int, to_ms: int) -> range:
        """Where the chunks that touch [from_ms, to_ms) begin."""
        return range(self.start_of(from_ms), to_ms, self.span_ms)


RAW = Tier(0, "raw", 0, 10 * MINUTE_MS, DAY_MS)
MINUTE = Tier(1, "minute", MINUTE_MS, 6 * HOUR_MS, DAY_MS)
HOUR = Tier(2, "hour", HOUR_MS, 5 * DAY_MS, 30 * DAY_MS)
TIERS = (RAW, MINUTE, HOUR)
BELOW = {MINUTE: RAW, HOUR: MINUTE}
"""What a roll-up is made from."""
ABOVE = {finer: coarser for coarser, finer in BELOW.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long each tier is kept, in ms."""

    raw_ms: int = 48 * HOUR_MS
    minute_ms: int = 30 * DAY_MS
    hour_ms: int = 730 * DAY_MS

    def of(self, tier: Tier) -> int:
        """How long this one is."""
        return (self.raw_ms, self.minute_ms, self.hour_ms)[tier.number]

    @property
    def longest_ms(self) -> int:
        """After this long nothing of a time is left."""
        return max(self.raw_ms, self.minute_ms, self.hour_ms)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back each tier goes at `now_ms`."""

    now_ms: int
    keep: Keep

    def holds(self, tier: Tier, at_ms: int) -> bool:
        """Whether the tier goes back to that time."""
        return at_ms >= self.now_ms - self.keep.of(tier)
