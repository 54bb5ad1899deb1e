"""Which pool a phrase is about. Pure.

Words that name the destination decide. Others name only the program, or nobody: then it is the one pool that this
program holds and that failed or is all but full. Where there are several it stays open: a guess could be wrong.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from agent.evidence.ledger import Said
from shared.model import Evidence, Kind, Pool, Reading

NEARLY_FULL: Final = 0.95
"""A pool this full between two looks may have been full when the words were said."""


def join(said: Iterable[Said], readings: Sequence[Reading]) -> tuple[Evidence, ...]:
    """Each phrase with its pool; with none where none can be told for sure."""
    return tuple(
        Evidence(_pool_of(one, readings), one.phrase.program, one.phrase.text, one.count, one.last_at_ms)
        for one in said
    )


def _pool_of(said: Said, readings: Sequence[Reading]) -> Pool | None:
    phrase = said.phrase
    if phrase.peer:
        about = [one for one in readings if (one.pool.peer, one.pool.peer_port) == (phrase.peer, phrase.peer_port)]
        return max(about, key=lambda one: (one.failures, one.occupancy)).pool if about else None
    about = [one for one in readings if _may_have_failed(one) and phrase.program in one.owner]
    return about[0].pool if len(about) == 1 else None


def _may_have_failed(reading: Reading) -> bool:
    return reading.pool.kind is not Kind.UDP and (reading.failures > 0 or reading.occupancy >= NEARLY_FULL)
