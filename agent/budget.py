"""How much of a CPU sampling may take: a share, averaged. A token bucket over the CPU time measured. Pure.

Seconds of CPU flow in at the share and out as they are spent. Half of what the bucket holds is kept for samples that
cannot wait, those of pools that may have reached a threshold; the other half lets a hot pool be followed for a while
at more than the share. The reserve is deep, because a bad day is seldom one pool: thirty that cross one after the
other are thirty samples in as many seconds, and the last of them must not wait for the share to flow in. So over any
stretch of time the agent spends its share of that time, and the bucket at most.
"""

from dataclasses import dataclass, replace

SAVED_S = 120.0
"""How much time's share is kept for what cannot wait, and as much again for what can."""
LEAST_SAMPLES = 4
"""But no less than so many samples, one for each threshold of a pool that goes from calm to full."""
AT_START = 1.5
LATEST, FIRST = 0.25, 0.5
"""What the latest sample weighs among those before, and the very first, which does what later ones need not."""
STEADY = 0.5
"""What a sample may cost of the time's share since the one before, to be taken though the reserve is not full."""
ELSEWHERE = 0.5
"""What the rest of the agent (pushing a backlog, above all) may take of sampling's share: it must never go blind."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left, in seconds of CPU; may be below zero for a while, because a sample costs what it costs."""

    share: float
    """Of one core, 0.01 for a hundredth."""
    sample_s: float = 0.0
    """What a sample is expected to cost, by the latest ones."""
    left_s: float | None = None

    @property
    def reserve_s(self) -> float:
        """What is kept for samples that cannot wait."""
        return max(SAVED_S * self.share, LEAST_SAMPLES * self.sample_s)

    @property
    def balance_s(self) -> float:
        """What is left; at the start the reserve is full, and half of what can be saved besides."""
        return AT_START * self.reserve_s if self.left_s is None else self.left_s

    def after(self, elapsed_s: float, sampling_s: float, others_s: float) -> "Budget":
        """After so much time, in which sampling took so much CPU and the rest of the agent so much."""
        income_s = self.share * max(0.0, elapsed_s)
        spent_s = sampling_s + min(others_s, ELSEWHERE * income_s)
        return replace(self, left_s=min(2 * self.reserve_s, self.balance_s + income_s - spent_s))

    def expecting(self, sample_s: float) -> "Budget":
        """Knowing that the latest sample took so much; now and then one does more than the others, the first above all.

        What is left does not depend on that.
        """
        weight = LATEST if self.sample_s else FIRST
        return replace(self, sample_s=self.sample_s + weight * (sample_s - self.sample_s), left_s=self.balance_s)

    def affords(self, urgency: float) -> bool:
        """Whether a sample may be taken; `urgency` 0.0 leaves the reserve alone, 1.0 may take all of it.

        By the square: what pages somebody finds all but a sixteenth of the reserve, and once that is spent is not kept
        waiting for a quarter of it to flow in.
        """
        return self.balance_s >= (self.reserve_s + self.sample_s) * (1.0 - urgency) ** 2

    def sustains(self, since_s: float) -> bool:
        """Whether samples that are so far apart let the bucket fill, however empty it is.

        A host must not fall silent for the minutes in which the reserve fills again after a bad one.
        """
        return self.sample_s <= STEADY * self.share * since_s

    def pays_for_every(self, period_s: float) -> bool:
        """Whether a sample each `period_s` is within the share for ever."""
        return self.sample_s <= self.share * period_s

    def interval_s(self, wanted_s: float) -> float:
        """How often samples can be taken where they are wanted each `wanted_s`."""
        return max(wanted_s, self.sample_s / self.share)
