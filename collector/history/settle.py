"""What becomes of closed windows of the hot log: chunks, and what they change over all hosts. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.history import codec, fleet
from collector.history.chunk import Chunk, CorruptChunk, Ints
from collector.history.fleet import Peaks, Place
from collector.history.gather import Body, PoolIds, Unreadable, gather, unpack
from collector.history.merge import merged
from collector.history.tiers import RAW
from shared.errors import PortgaugeError
from shared.model import Pool

LATE_MS = 60_000
"""How long after its end a window is closed: what was taken in its last moments is still on its way."""

Key = tuple[int, int]
"""(host id, when the chunk begins)."""


class NotItself(PortgaugeError):
    """A chunk does not decode to what was encoded. Nothing is taken out of the log then."""


class Row(Protocol):
    """A snapshot of the hot log."""

    @property
    def id(self) -> int: ...  # noqa: D102 - as collector.storage.hot.Logged tells
    @property
    def host_id(self) -> int: ...  # noqa: D102
    @property
    def received_ms(self) -> int: ...  # noqa: D102
    @property
    def taken_ms(self) -> int: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102


@dataclass(slots=True)
class Windows:
    """Bodies by host and chunk; what cannot be read, by hot id and why."""

    bodies: dict[Key, list[Body]] = field(default_factory=lambda: defaultdict(list))
    unreadable: dict[int, str] = field(default_factory=dict)

    @property
    def pools(self) -> dict[int, set[Pool]]:
        """Every pool that is named, by host id."""
        named: dict[int, set[Pool]] = defaultdict(set)
        for (host_id, _), bodies in self.bodies.items():
            for pools in {id(body.pools): body.pools for body in bodies}.values():
                named[host_id].update(pools)
        return named

    @property
    def end_ms(self) -> int:
        """When the last chunk ends."""
        return max((from_ms for _, from_ms in self.bodies), default=0) + RAW.span_ms


@dataclass(slots=True)
class Settled:
    """What to write: chunks, peaks, changes of the histograms; and chunks that could not be read, by key and why."""

    chunks: dict[Key, bytes] = field(default_factory=dict)
    peaks: dict[Place, Peaks] = field(default_factory=dict)
    counts: dict[int, Ints] = field(default_factory=dict)
    corrupt: dict[Key, str] = field(default_factory=dict)


def closed_before(now_ms: int) -> int:
    """What was taken before this is in a window that is closed."""
    return RAW.start_of(now_ms - LATE_MS)


def windows(rows: Sequence[Row]) -> Windows:
    """Unpack the rows."""
    made, known = Windows(), dict[object, tuple[Pool, ...]]()
    for row in rows:
        try:
            body = unpack(row.id, row.taken_ms, row.received_ms, row.body, known)
        except Unreadable as error:
            made.unreadable[row.id] = str(error)
        else:
            made.bodies[row.host_id, RAW.start_of(row.taken_ms)].append(body)
    return made


def settled(found: Windows, ids: Mapping[int, PoolIds], old: Mapping[Key, bytes]) -> Settled:
    """Chunks of these windows, with what the chunks that are there already hold. `ids` knows every pool, by host."""
    made = Settled()
    for key, bodies in found.bodies.items():
        before = _read(made, key, old.get(key))
        fresh = gather(bodies, ids[key[0]])
        after = merged(before, fresh) if before else fresh
        made.chunks[key] = proven(after)
        made.peaks = fleet.highest([made.peaks, fleet.peaks_by_hour(after)])
        counts = fleet.difference(fleet.histogram(after), fleet.histogram(before) if before else {})
        for hour, change in counts.items():
            made.counts[hour] = made.counts[hour] + change if hour in made.counts else change
    return made


def proven(chunk: Chunk) -> bytes:
    """The chunk as bytes that were read back and compared. Raises NotItself."""
    body = codec.encode(chunk)
    if codec.decode(body) != chunk:
        raise NotItself("a chunk does not decode to what was encoded; please report this as a bug")
    return body


def _read(made: Settled, key: Key, body: bytes | None) -> Chunk | None:
    if body is None:
        return None
    try:
        return codec.decode(body)
    except CorruptChunk as error:
        made.corrupt[key] = str(error)
        return None
