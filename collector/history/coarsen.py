"""A coarser chunk from the bytes of the finer ones it covers, one after the other. Pure.

Of a host with very many pools there is room for one finer chunk at a time: twenty of them would take gigabytes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from collector.history import codec, rollup
from collector.history.chunk import Chunk, CorruptChunk
from collector.history.settle import proven
from collector.history.tiers import BELOW, MINUTE, Tier
from shared.model import Pool


@dataclass(frozen=True, slots=True)
class Before:
    """The coarser chunk as it is, and when those finer ones began of which something is lost."""

    body: bytes | None = None
    lost: Collection[int] = ()

    def saves(self, made: Chunk, lost: Collection[int], below: Tier) -> Chunk:
        """What is made anew, with what was made of finer chunks before something of them was lost, if it knew more."""
        if not self.body or not lost:
            return made
        try:
            old = codec.decode(self.body)
        except CorruptChunk:
            return made
        return rollup.kept(old, made, [(from_ms, from_ms + below.span_ms) for from_ms in lost])


def coarser(
    tier: Tier, finer: Iterable[tuple[int, bytes]], named: dict[int, Pool], before: Before
) -> tuple[bytes | None, dict[int, str]]:
    """The chunk of the tier (None where there is nothing to make it from), and why finer ones cannot be read.

    `finer`: (when it begins, body), in order of time; so are the latter told. `named` tells what each number is.
    """
    parts: list[Chunk] = []
    corrupt: dict[int, str] = {}
    for from_ms, body in finer:
        try:
            parts.append(_coarser(tier, codec.decode(body), named))
        except CorruptChunk as error:
            corrupt[from_ms] = str(error)
    if not parts:
        return None, corrupt
    made = rollup.joined(parts)
    parts.clear()
    return proven(before.saves(made, {*before.lost, *corrupt}, BELOW[tier])), corrupt


def _coarser(tier: Tier, finer: Chunk, named: dict[int, Pool]) -> Chunk:
    return rollup.rolled([finer], tier.step_ms, named) if tier is MINUTE else rollup.rolled_again([finer], tier.step_ms)
