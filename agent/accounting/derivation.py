"""An account with its sums: range − reserved − blocked = capacity; capacity − held = headroom. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.accounting.question import Question
from shared.model import Kind, Pool, Reading
from shared.ports import PortRange
from shared.tcp import State

LISTENING = "listening"
BOUND = "listening, or bound and not connected"
BOUND_IDLE = "bound, not connected"
BOUND_CONNECTED = "bound to its port by the application, connected"
PROBED = "bound by an application (the kernel told when probed)"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Ports the kernel does not let us decide, and why."""

    ports: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How many more connect() the kernel would serve, and every step to that number."""

    question: Question
    port_range: PortRange
    """The range this application draws from."""
    reserved: frozenset[int]
    """Of that range."""
    blocked: Mapping[int, str]
    """Ports of the range, not reserved, that no connect() may take, each with the reason."""
    states: Mapping[State, int]
    """Held ports by the state of their socket; TIME_WAIT that connect() may recycle is not held."""
    time_wait_reusable: int = 0
    doubts: tuple[Doubt, ...] = field(default=())
    """What lowers `headroom_min` below `headroom`."""
    hopes: tuple[Doubt, ...] = field(default=())
    """What lifts `headroom_max` above `headroom`."""
    free_even_offset: int = 0
    """Lendable ports at an even offset from the range's start: at 0, connect() turns about 100 times slower."""
    probed: int = 0
    """Ports whose bucket was asked for."""

    @property
    def capacity(self) -> int:
        """Ports this pool can lend at all."""
        return len(self.port_range) - len(self.reserved) - len(self.blocked)

    @property
    def held(self) -> int:
        """Ports not lendable now."""
        return sum(self.states.values())

    @property
    def headroom(self) -> int:
        """How many more connect() succeed, by all that is likely."""
        return self.capacity - self.held

    @property
    def headroom_min(self) -> int:
        """The same with every doubt resolved against us."""
        return max(0, self.headroom - sum(doubt.ports for doubt in self.doubts))

    @property
    def headroom_max(self) -> int:
        """The same with every hope fulfilled."""
        return self.headroom + sum(hope.ports for hope in self.hopes)

    @property
    def knee(self) -> bool | None:
        """Whether connect() walks all even offsets in vain first; None where it does not search in that order."""
        question = self.question
        in_order = question.kind is Kind.CONNECT and question.own_range is None
        return not self.free_even_offset if in_order else None

    @property
    def occupancy(self) -> float:
        """The held share of the capacity."""
        return min(1.0, self.held / self.capacity) if self.capacity else 1.0


def reading_of(derivation: Derivation, netns: str) -> Reading:
    """The account as the reading of its pool."""
    return Reading(
        pool_of(derivation.question, netns),
        held=derivation.held,
        capacity=derivation.capacity,
        headroom_min=derivation.headroom_min,
        headroom_max=min(derivation.headroom_max, derivation.capacity),
        states=dict(derivation.states),
        recyclable=derivation.time_wait_reusable,
    )


def pool_of(question: Question, netns: str) -> Pool:
    """What the asker shares its ports with."""
    if question.kind is Kind.CONNECT:
        return Pool(netns, Kind.CONNECT, question.local, question.peer, question.peer_port)
    if question.kind is Kind.BIND or question.bind_first:
        return Pool(netns, question.kind, question.local)
    return Pool(netns, Kind.UDP, bytes(len(question.local)))
