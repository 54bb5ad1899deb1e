"""What was said since the last snapshot, added up: the same words about the same destination are one entry. Pure."""

from dataclasses import dataclass, field
from typing import Final

from agent.evidence.phrases import Phrase

MOST_ENTRIES: Final = 64


@dataclass(frozen=True, slots=True)
class Said:
    """One phrase, how often it was said, and when last (ms, UTC)."""

    phrase: Phrase
    count: int
    last_at_ms: int


@dataclass(slots=True)
class Ledger:
    """Bounded: what is past `MOST_ENTRIES` different phrases is only counted, in `beyond`."""

    beyond: int = 0
    _said: dict[Phrase, Said] = field(default_factory=dict)

    def add(self, phrase: Phrase, at_ms: int, count: int = 1) -> None:
        """Note that it was said."""
        known = self._said.get(phrase)
        if known is None and len(self._said) >= MOST_ENTRIES:
            self.beyond += count
            return
        before, last_ms = (known.count, known.last_at_ms) if known else (0, 0)
        self._said[phrase] = Said(phrase, before + count, max(last_ms, at_ms))

    def take(self) -> tuple[Said, ...]:
        """All that was said since this was last asked, and forget it."""
        said, self._said = tuple(self._said.values()), {}
        return said

    def put_back(self, said: tuple[Said, ...]) -> None:
        """What was taken, where nobody could be told."""
        for one in said:
            self.add(one.phrase, one.last_at_ms, one.count)
