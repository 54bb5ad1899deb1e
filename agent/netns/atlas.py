"""The network namespaces of this host by name, followed as they come and go, and the way round them."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from agent.model import NetnsId
from agent.netns.discovery import Landscape, Sighting, is_idle, look_around, traits_of, tree_of
from agent.netns.entering import cookie, enter, is_first, own_inode, travelling
from agent.netns.errors import EntryRefused, NamespaceGone, UnknownNamespace
from agent.netns.naming import HOST, OWN, Name, name_of, unique
from shared import clock
from shared.limits import MAX_NAMESPACES
from shared.model import Unreadable

T = TypeVar("T")

LOOK_EVERY_S = 5.0
"""How old the list of namespaces may be; a look costs about 5 µs a process."""
CLOSED = "their processes are other users': needs CAP_SYS_PTRACE and CAP_SYS_ADMIN"


class _Known(NamedTuple):
    place: NetnsId
    is_lasting: bool
    sighting: Sighting
    """What a makeshift name was made from; another look may tell more."""


@dataclass(slots=True)
class Atlas:
    """Names stay as long as their namespaces do, whatever processes come and go. Not for two threads at once."""

    most: int = MAX_NAMESPACES
    """How many are visited, our own among them."""
    unreadable: list[Unreadable] = field(default_factory=list)
    """What the latest tour could not see; complete when the tour is."""
    _land: Landscape | None = None
    _looked_at_s: float = -math.inf
    _known: dict[int, _Known] = field(default_factory=dict)
    _toured: frozenset[int] = frozenset()

    def tour(self, now_s: float) -> Iterator[NetnsId]:
        """Each namespace, this thread standing in it: our own first, then the others. Only for `travelling` threads.

        `now_s` is monotonic. A namespace that ends on the way is passed over; one with sockets that may not be entered
        is counted in `unreadable`.
        """
        land = self._landscape(now_s)
        self._toured = frozenset(land.seen)
        own = own_inode()
        others = sorted((one for one in land.seen.values() if one.inode != own), key=self._precedence)
        self._known = {inode: known for inode, known in self._known.items() if inode in land.seen or inode == own}
        self.unreadable = list(_closed(land, own))
        self.unreadable += _beyond(others[self.most - 1 :], self.most)
        yield self._place(land.seen.get(own) or Sighting(own))
        refused: Counter[str] = Counter()
        for sighting in others[: self.most - 1]:
            try:
                enter(sighting.ways, sighting.inode)
            except NamespaceGone:
                continue
            except EntryRefused as error:
                refused[str(error)] += not is_idle(sighting.pids)
                continue
            yield self._place(sighting)
        self.unreadable += [Unreadable(count, why) for why, count in refused.items() if count]

    def inside(self, name: str, function: Callable[[NetnsId], T]) -> T:
        """Call `function` in the namespace of that name (or OWN), in a thread that has gone there.

        Raises UnknownNamespace where there is none that can be entered.
        """

        def go() -> T:
            known = []
            for number, place in enumerate(self.tour(clock.monotonic_s())):
                if is_meant(place, [name], is_own=number == 0):
                    return function(place)
                known.append(place.name)
            raise UnknownNamespace(name, known, sum(one.namespaces for one in self.unreadable))

        return travelling(go)

    def has_newcomer(self, now_s: float) -> bool:
        """Whether a namespace with sockets is there that the latest tour did not know; `now_s` is monotonic."""
        seen = self._landscape(now_s).seen
        return any(not is_idle(seen[inode].pids) for inode in seen.keys() - self._toured)

    def sighting(self, place: NetnsId, now_s: float, *, anew: bool = False) -> Sighting | None:
        """How to get to a namespace, as far as is known, or by a look around taken `anew`; None where it has ended."""
        if anew:
            self._land = None
        return self._landscape(now_s).seen.get(place.inode)

    def _landscape(self, now_s: float) -> Landscape:
        if self._land is None or now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._land, self._looked_at_s = look_around(), now_s
        return self._land

    def _precedence(self, sighting: Sighting) -> tuple[bool, int, int]:
        """Those we follow already come first, lest one more namespace change which are followed."""
        return sighting.inode not in self._known, sighting.pids[0] if sighting.pids else 0, sighting.inode

    def _place(self, sighting: Sighting) -> NetnsId:
        """The namespace this thread is in, by the name it has already or gets now."""
        mark = cookie()
        known = self._known.get(sighting.inode)
        if known and known.place.cookie != mark:
            known = None  # It ended, and a new one got its inode.
        if known and (known.is_lasting or known.sighting is sighting):
            return known.place
        name = self._name(sighting)
        if known and not name.is_lasting:
            self._known[sighting.inode] = known._replace(sighting=sighting)
            return known.place
        place = NetnsId(name.text, sighting.inode, mark)
        self._known[sighting.inode] = _Known(place, name.is_lasting, sighting)
        return place

    def _name(self, sighting: Sighting) -> Name:
        """What to call the namespace this thread is in, as no other is called."""
        if is_first():
            return Name(HOST, is_lasting=True)
        traits = traits_of(sighting)
        best = name_of(traits)
        taken = {one.place.name for inode, one in self._known.items() if inode != sighting.inode}
        return Name(unique(best.text, taken, traits), best.is_lasting)


def current() -> NetnsId:
    """The network namespace of this thread."""
    return next(Atlas().tour(clock.monotonic_s()))


def is_meant(place: NetnsId, names: Sequence[str], *, is_own: bool) -> bool:
    """Whether a person who names these, or none for all, means this namespace."""
    return not names or place.name in names or (is_own and OWN in names)


def _closed(land: Landscape, own: int) -> Iterator[Unreadable]:
    """Namespaces that exist, by the traces their processes leave, and that nothing we may look at leads to."""
    if land.closed:
        readable = {tree_of(one.pids[0]) for one in land.seen.values() if one.pids and one.inode != own}
        foreign = {tree: pid for tree, pid in land.closed.items() if tree not in readable | {tree_of("thread-self")}}
        busy = sum(not is_idle([pid]) for pid in foreign.values())
        if busy:
            yield Unreadable(busy, CLOSED)
    if land.veiled:
        yield Unreadable(0, f"{land.veiled} processes show no namespace: /proc is mounted with hidepid")


def _beyond(left_out: Sequence[Sighting], most: int) -> Iterator[Unreadable]:
    if left_out:
        yield Unreadable(len(left_out), f"there are more than the {most} network namespaces that are sampled")
