"""What adding backends, source addresses or ports would change for a pool. Pure."""

from dataclasses import dataclass, replace

from collector.capacity.needs import Standing
from shared.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is thought of. The load is taken to spread evenly over what is there and what is added."""

    backends: int = 0
    """More backend addresses of the same port, for every source."""
    sources: int = 0
    """More source addresses on every host."""

    @property
    def is_nothing(self) -> bool:
        """Whether it leaves all as it is."""
        return not (self.backends or self.sources)


def changed(standing: Standing, change: Change, capacity: int | None = None) -> Standing:
    """The pool after the change, and with another capacity where one is given.

    A pool of the kind `bind` does not gain by backends, one of the kind `udp` neither by them nor by addresses.
    """
    kind = standing.pool.kind
    backends = change.backends if kind is Kind.CONNECT else 0
    sources = change.sources if kind is not Kind.UDP else 0
    share = standing.backends / (standing.backends + backends) * standing.sources / (standing.sources + sources)
    return replace(
        standing,
        growth=standing.growth.scaled(share),
        backends=standing.backends + backends,
        sources=standing.sources + sources,
        capacity=standing.capacity if capacity is None else capacity,
    )
